package logs

// Bounds of what is remembered for the report of a crash.
const (
	tailLines     = 20
	tailLineBytes = 500
)

// tail remembers the last lines.
type tail struct{ lines []string }

func (t *tail) add(line string) {
	if len(line) > tailLineBytes {
		line = line[:tailLineBytes]
	}
	if len(t.lines) == tailLines {
		copy(t.lines, t.lines[1:])
		t.lines = t.lines[:tailLines-1]
	}
	t.lines = append(t.lines, line)
}
