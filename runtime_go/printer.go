//go:build trace && go1.21

package functrace

// A textPrinter writes a line for every entry and exit:
//
//	g[01]:	->main.main
//
// the goroutine id, a tab per level, an arrow, and the full name of the function.
type textPrinter struct {
	sink  *sink
	depth int // levels beyond it are not printed
}

var printer textPrinter

// print reports the entry of a call of f.
//
//go:norace
func (t *track) print(f *function) {
	t.mu.Lock()
	t.reserve()
	t.calls = append(t.calls, f)
	printer.print(t, f, "->")
	t.mu.Unlock()
}

// printExit reports the exit of the innermost call and returns the number of calls still open.
//
//go:norace
func (t *track) printExit() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	depth := len(t.calls)
	if depth == 0 {
		return 0 // an exit function called twice
	}
	printer.print(t, t.calls[depth-1], "<-")
	t.calls = t.calls[:depth-1]
	t.shrink()
	return depth - 1
}

const maxIDDigits = 20 // digits of the largest uint64

// print writes the line of an entry or exit.
//
//go:norace
func (p *textPrinter) print(t *track, f *function, arrow string) {
	level := len(t.calls)
	if level > p.depth || off.Load() {
		return
	}
	line := t.emptyLine(len("g[]:\n") + maxIDDigits + level + len(arrow) + len(f.name))
	line = appendText(line, "g[")
	line = appendID(line, t.id)
	line = appendText(line, "]:")
	line = appendTabs(line, level)
	line = appendText(line, arrow)
	line = appendText(line, f.name)
	t.line = append(line, '\n')
	p.sink.write(t.trackPrinting)
}

// appendID appends id with at least two digits.
//
//go:norace
func appendID(line []byte, id uint64) []byte {
	var digits [maxIDDigits]byte
	first := len(digits)
	for id > 0 || first > len(digits)-2 {
		first--
		digits[first] = byte('0' + id%10)
		id /= 10
	}
	//lint:ignore S1011 the race detector sees what append copies by itself
	for _, digit := range digits[first:] {
		line = append(line, digit)
	}
	return line
}

// appendText appends text, for which there is room. The race detector observes what append
// copies, even here, and the line may have belonged to another goroutine.
//
//go:norace
func appendText(line []byte, text string) []byte {
	if !raceDetector {
		return append(line, text...)
	}
	for i := 0; i < len(text); i++ {
		line = append(line, text[i])
	}
	return line
}

const tabs = "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t"

//go:norace
func appendTabs(line []byte, n int) []byte {
	for ; n > len(tabs); n -= len(tabs) {
		line = appendText(line, tabs)
	}
	return appendText(line, tabs[:n])
}
