//go:build trace && go1.21

package functrace

// Facts chunks: metadata of the process and its functions.

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// newFactsChunk starts another facts chunk. If old chunks are overwritten, facts chunks are kept
// outside the segments.
//
//go:norace
func (r *recorder) newFactsChunk() bool {
	var c *chunk
	if r.header[6]&overwrites == 0 {
		c = r.allocate(factsSize, factsSize)
	} else if memory := r.grow(factsSize); memory != nil {
		c = r.newChunkOf(memory)
		r.onTop += factsSize
	}
	if c == nil {
		return false
	}
	c.putHead(factsChunk)
	r.facts, r.used = c.words, chunkHead/8
	return true
}

// putFact appends a record of words and a text.
//
//go:norace
func (r *recorder) putFact(kind, value int, numbers []uint64, text string) bool {
	size := 8*len(numbers) + len(text)
	if chunkHead/8+wordsFor(size) > factsSize/8 {
		return false // it fits in no chunk
	}
	if r.used+wordsFor(size) > len(r.facts) && !r.newFactsChunk() {
		return false
	}
	at := r.used + 1
	for _, number := range numbers {
		r.facts[at] = number
		at++
	}
	for i := 0; i < len(text); i++ {
		r.facts[at+i/8] |= uint64(text[i]) << (8 * (i % 8))
	}
	r.facts[r.used] = recordHead(kind, size, value)
	r.used += wordsFor(size)
	return true
}

// putFunction assigns a number to the function and records its name. It returns 0 if there are
// too many functions or the trace is full.
//
//go:norace
func (r *recorder) putFunction(f *function, line int) uint64 {
	r.mu.Lock()
	defer r.unlock()
	if r.numbered == maxFunctions {
		return 0
	}
	number := r.numbered + 1
	name, file := cut(f.name), cut(f.file)
	// Two words and two lengths of two bytes: the text begins within a word.
	lengths := string([]byte{byte(len(name)), byte(len(name) >> 8), byte(len(file)), byte(len(file) >> 8)})
	numbers := []uint64{number | uint64(line)<<32, uint64(f.pc)}
	if !r.putFact(functionRecord, 0, numbers, lengths+name+file) {
		return 0
	}
	if f.request.direction != 0 {
		numbers = []uint64{number | uint64(f.request.direction)<<32 | uint64(f.request.protocol)<<40}
		if !r.putFact(requestNameRecord, 0, numbers, "") {
			return 0
		}
	}
	r.numbered = number
	if r.budget.limit != 0 {
		r.budget.add(f, number)
	}
	if f.name == "main.main" && r.main == 0 {
		r.main = number
	}
	return number
}

// cut limits a text to maxLength bytes.
func cut(text string) string {
	const maxLength = 8 << 10
	if len(text) > maxLength {
		return text[:maxLength]
	}
	return text
}

// Sizes in bytes of the process's description, with the arguments and with all, so that it fits in a
// chunk of facts.
const (
	maxArguments   = 16 << 10
	maxDescription = 28 << 10
)

// putProcess records the metadata of the process.
func (r *recorder) putProcess(c *config) {
	host, _ := os.Hostname()
	executable, _ := os.Executable()
	var b strings.Builder
	b.WriteString(`{"argv":[`)
	for i, word := range os.Args {
		word = quote(cut(word))
		if b.Len()+len(word) > maxArguments {
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(word)
	}
	b.WriteString(`],"host":` + quote(host))
	b.WriteString(`,"executable":` + quote(cut(executable)))
	b.WriteString(`,"tool":` + quote("functrace "+version))
	b.WriteString(`,"runtime":` + quote(runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH))
	b.WriteString(`,"clock":` + quote(clockName()))
	if c.budget != 0 {
		b.WriteString(`,"budget_ppm":` + strconv.Itoa(c.budget))
	}
	b.WriteString(processIdentity())
	c.appendIdentity(&b)
	b.WriteString(`,"options":{`)
	first := true
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "FUNCTRACE") {
			option := quote(name) + ":" + quote(cut(value))
			if b.Len()+len(option) > maxDescription {
				continue
			}
			if !first {
				b.WriteByte(',')
			}
			first = false
			b.WriteString(option)
		}
	}
	b.WriteString("}}")
	r.putFact(processRecord, 0, nil, b.String())
}

// processIdentity returns members of a JSON object that distinguish this process from others with
// the same id, later or on another host. It is empty where there is no /proc.
func processIdentity() string {
	namespace, err := os.Readlink("/proc/self/ns/pid")
	fields := statFields("self")
	if err != nil || len(fields) <= startField {
		return ""
	}
	return `,"pid_namespace":` + quote(namespace) + `,"start_ticks":` + fields[startField]
}

// startField is the index of a process's start in statFields.
const startField = 19

// statFields returns the fields of /proc/PID/stat behind the parenthesized name; nil if there is no
// such process.
func statFields(pid string) []string {
	stat, err := readFile("/proc/" + pid + "/stat")
	if err != nil {
		return nil
	}
	return strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
}

// quote returns the text as a JSON string.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < ' ':
			b.WriteString(`\u00` + strconv.FormatInt(int64(c)>>4, 16) + strconv.FormatInt(int64(c)&15, 16))
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
