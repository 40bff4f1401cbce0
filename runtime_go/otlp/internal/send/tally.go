package send

import (
	"strconv"
	"strings"
)

// A Tally counts what became of the spans.
type Tally struct {
	Sent, Refused, Dropped uint64

	address    string
	refusal    string // the reason of the first refusal
	lastFailed string // the reason of the last drop, if the collector failed
}

// Summary returns the message for the end of the program; empty if nothing was lost. Events were
// overwritten before they were read; calls have no end for that.
func (t *Tally) Summary(overwritten, withoutEnd uint64) string {
	if t.Refused+t.Dropped+overwritten+withoutEnd == 0 {
		return ""
	}
	parts := []string{plural(t.Sent, "span") + " sent"}
	if t.Refused > 0 {
		parts = append(parts, count(t.Refused)+" refused"+inBrackets(t.refusal))
	}
	if t.Dropped > 0 {
		why := "too slow"
		if t.lastFailed != "" {
			why = t.lastFailed
		}
		parts = append(parts, count(t.Dropped)+" dropped"+inBrackets(t.address+": "+why))
	}
	if overwritten > 0 {
		parts = append(parts, "at most "+plural(overwritten, "event")+" overwritten before they were read")
	}
	if withoutEnd > 0 {
		parts = append(parts, plural(withoutEnd, "call")+" without an end for that")
	}
	return strings.Join(parts, ", ")
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func plural(number uint64, noun string) string {
	if number == 1 {
		return "1 " + noun
	}
	return count(number) + " " + noun + "s"
}

// count formats a number with thousands separators.
func count(number uint64) string {
	digits := strconv.FormatUint(number, 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
