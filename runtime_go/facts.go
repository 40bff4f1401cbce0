//go:build trace && go1.21

package functrace

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// newFacts begins another chunk of facts. Where old chunks are overwritten it is none of those
// that are.
//
//go:norace
func (r *recorder) newFacts() bool {
	var memory []byte
	if r.header[6]&overwrites != 0 {
		memory = r.grow(factsSize)
	} else {
		memory = r.take(nil, factsSize, factsSize)
	}
	if memory == nil {
		return false
	}
	r.facts, r.used = r.putHead(memory, factsChunk), chunkHead/8
	return true
}

// putFact appends a record of two words, and text.
//
//go:norace
func (r *recorder) putFact(kind int, numbers []uint64, text string) bool {
	size := 8*len(numbers) + len(text)
	if r.used+wordsFor(size) > len(r.facts) && !r.newFacts() {
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
	r.facts[r.used] = recordHead(kind, size, 0)
	r.used += wordsFor(size)
	return true
}

// putFunction gives the function a number and writes down what it is called. The number is
// 0 if there are too many functions or the file takes no more.
//
//go:norace
func (r *recorder) putFunction(f *function, file string, line int) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.numbered == maxFunctions {
		return 0
	}
	number := r.numbered + 1
	name, file := cut(f.name), cut(file)
	// Three words and two lengths of two bytes: the text begins within a word.
	lengths := string([]byte{byte(len(name)), byte(len(name) >> 8), byte(len(file)), byte(len(file) >> 8)})
	numbers := []uint64{number | uint64(line)<<32, uint64(f.pc)}
	if !r.putFact(functionRecord, numbers, lengths+name+file) {
		return 0
	}
	r.numbered = number
	if f.name == "main.main" && r.main == 0 {
		r.main = number
	}
	return number
}

func cut(text string) string {
	const most = 8 << 10
	if len(text) > most {
		return text[:most]
	}
	return text
}

// putProcess writes down what program this is.
func (r *recorder) putProcess(c *config) {
	host, _ := os.Hostname()
	executable, _ := os.Executable()
	var b strings.Builder
	b.WriteString(`{"argv":[`)
	for i, word := range os.Args {
		if b.Len() > 16<<10 {
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(cut(word)))
	}
	b.WriteString(`],"host":` + quote(host))
	b.WriteString(`,"executable":` + quote(cut(executable)))
	b.WriteString(`,"tool":` + quote("functrace "+version))
	b.WriteString(`,"runtime":` + quote(runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH))
	b.WriteString(`,"clock":` + quote(clockName()))
	b.WriteString(processIdentity())
	b.WriteString(`,"options":{`)
	first := true
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "FUNCTRACE") {
			if !first {
				b.WriteByte(',')
			}
			first = false
			b.WriteString(quote(name) + ":" + quote(cut(value)))
		}
	}
	b.WriteString("}}")
	r.putFact(processRecord, nil, b.String())
}

// processIdentity returns what tells this process from another with its id, later or
// elsewhere, as members of a JSON object. It is empty where there is no /proc.
func processIdentity() string {
	const startTicks = 19 // behind the name and its parenthesis
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	stat, err := readFile("/proc/self/stat")
	if err != nil {
		return ""
	}
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= startTicks {
		return ""
	}
	return `,"pid_namespace":` + quote(namespace) + `,"start_ticks":` + fields[startTicks]
}

// quote returns the text as JSON has it.
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
