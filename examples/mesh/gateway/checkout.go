package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

var client = &http.Client{Transport: &http.Transport{DialContext: dial}}

// checkout has an order paid.
func checkout(ctx context.Context, order string) error {
	body := strings.NewReader(url.Values{"order": {order}}.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://payments/pay", body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		return fmt.Errorf("order %s: payments: %s", order, strings.TrimSpace(string(reason)))
	}
	return nil
}
