package send

import (
	"strconv"
	"strings"
)

// A Tally is what became of the spans.
type Tally struct {
	Sent, Refused, Dropped uint64

	where    string
	refusal  string // why the first of the refused were
	obstacle string // why the last of the dropped were, but that there was too much
}

// LastWords returns what is to be told in the end, empty where everything is fine.
func (t *Tally) LastWords(overwritten uint64) string {
	if t.Refused+t.Dropped+overwritten == 0 {
		return ""
	}
	told := []string{several(t.Sent, "span") + " sent"}
	if t.Refused > 0 {
		told = append(told, count(t.Refused)+" refused"+inBrackets(t.refusal))
	}
	if t.Dropped > 0 {
		why := "too slow"
		if t.obstacle != "" {
			why = t.obstacle
		}
		told = append(told, count(t.Dropped)+" dropped"+inBrackets(t.where+": "+why))
	}
	if overwritten > 0 {
		told = append(told, "at most "+several(overwritten, "event")+" overwritten before they were read")
	}
	return strings.Join(told, ", ")
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func several(number uint64, noun string) string {
	if number == 1 {
		return "1 " + noun
	}
	return count(number) + " " + noun + "s"
}

// count has commas at the thousands.
func count(number uint64) string {
	digits := strconv.FormatUint(number, 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
