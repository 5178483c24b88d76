package logs

// Bounds of what is remembered for the report of a crash.
const (
	tailLines     = 20
	tailLineBytes = 500
)

// tail remembers the last lines, and whose each is.
type tail struct{ lines []remembered }

type remembered struct {
	text  string
	owner any
}

func (t *tail) add(line string, owner any) {
	if len(line) > tailLineBytes {
		line = line[:tailLineBytes]
	}
	if len(t.lines) == tailLines {
		copy(t.lines, t.lines[1:])
		t.lines = t.lines[:tailLines-1]
	}
	t.lines = append(t.lines, remembered{line, owner})
}

// last are the lines of the owners that are asked for.
func (t *tail) last(of func(owner any) bool) []string {
	var lines []string
	for _, line := range t.lines {
		if of(line.owner) {
			lines = append(lines, line.text)
		}
	}
	return lines
}
