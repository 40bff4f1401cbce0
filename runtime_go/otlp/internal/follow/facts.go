package follow

import (
	"encoding/binary"
	"encoding/json"
	"strings"

	"functrace/otlp/internal/format"
)

// A Function of the program.
type Function struct {
	definition
	Direction byte // of the requests that its calls are: format.Inbound or Outbound; else 0
	number    int  // its first one
}

type definition struct {
	Name, File string
	Line       uint32
}

// Facts are the metadata read so far: the process and its functions.
type Facts struct {
	Process      map[string]any
	Functions    []Function
	byNumber     []int32 // index + 1
	byDefinition map[definition]int32
	HasRequests  bool // a function stands for requests
}

// Index returns the index of the function with a number, -1 if there is none.
func (f *Facts) Index(number int) int32 {
	if number >= len(f.byNumber) {
		return -1
	}
	return f.byNumber[number] - 1
}

// add reads a record. The first definition of a number counts.
func (f *Facts) add(kind int, payload []byte) {
	switch kind {
	case format.Function:
		f.addFunction(payload)
	case format.Process:
		if f.Process == nil {
			f.Process = parseProcess(format.Text(payload))
		}
	case format.RequestName:
		f.markRequest(payload)
	}
}

// markRequest marks a function whose record is right before this one. Functions for requests of the
// other direction may have the same name.
func (f *Facts) markRequest(payload []byte) {
	if len(payload) < format.RequestNameBytes {
		return
	}
	number, direction := int(binary.LittleEndian.Uint32(payload)), payload[4]
	index := f.Index(number)
	if index < 0 || direction != format.Inbound && direction != format.Outbound {
		return
	}
	if function := &f.Functions[index]; function.number == number && function.Direction == 0 {
		delete(f.byDefinition, function.definition)
		function.Direction = direction
		f.HasRequests = true
	}
}

func (f *Facts) addFunction(payload []byte) {
	if len(payload) < format.FunctionBytes {
		return
	}
	number := int(binary.LittleEndian.Uint32(payload))
	nameEnd := format.FunctionBytes + int(binary.LittleEndian.Uint16(payload[16:]))
	fileEnd := nameEnd + int(binary.LittleEndian.Uint16(payload[18:]))
	if number == 0 || number >= format.Functions || fileEnd > len(payload) || f.Index(number) >= 0 {
		return
	}
	function := definition{
		Name: format.Text(payload[format.FunctionBytes:nameEnd]),
		File: format.Text(payload[nameEnd:fileEnd]),
		Line: binary.LittleEndian.Uint32(payload[4:]),
	}
	index, isKnown := f.byDefinition[function]
	if !isKnown {
		index = int32(len(f.Functions))
		f.byDefinition[function] = index
		f.Functions = append(f.Functions, Function{definition: function, number: number})
	}
	if number >= len(f.byNumber) {
		f.byNumber = append(f.byNumber, make([]int32, number+1-len(f.byNumber))...)
	}
	f.byNumber[number] = index + 1
}

// parseProcess parses a JSON object; it returns nil for anything else.
func parseProcess(text string) map[string]any {
	var process map[string]any
	decoder := json.NewDecoder(strings.NewReader(visibleSurrogates(text)))
	decoder.UseNumber()
	if decoder.Decode(&process) != nil || decoder.More() {
		return nil
	}
	return process
}

// visibleSurrogates escapes lone surrogates once more, so that \udcff becomes text, as in functrace
// export. Python uses them for bytes of its command line that are not valid UTF-8.
func visibleSurrogates(text string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '\\')
		if at < 0 || at+1 == len(text) {
			break
		}
		b.WriteString(text[:at])
		text = text[at:]
		size := 2
		switch {
		case isSurrogate(text, "89ab") && isSurrogate(text[6:], "cdef"):
			size = 12
		case isSurrogate(text, "89abcdef"):
			b.WriteString(`\\` + strings.ToLower(text[1:6]))
			text, size = text[6:], 0
		}
		b.WriteString(text[:size])
		text = text[size:]
	}
	b.WriteString(text)
	return b.String()
}

// isSurrogate reports whether the text begins with the escape of a surrogate whose second hexadecimal
// digit is one of digits.
func isSurrogate(text, digits string) bool {
	return len(text) >= 6 && text[0] == '\\' && text[1] == 'u' && text[2]|' ' == 'd' &&
		strings.IndexByte(digits, text[3]|' ') >= 0 && isHex(text[4]) && isHex(text[5])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|' ' && c|' ' <= 'f'
}
