package logs

import "time"

// BytesPerSecond is what one handler process may log, with bursts of the same size.
const BytesPerSecond = 1 << 20

// limiter is a bucket of bytes that fills with time.
type limiter struct {
	room int
	last time.Time
	// lines and bytes were dropped since the last report.
	lines, bytes int
}

// allow takes n bytes if there is room for them, and counts a dropped line otherwise.
func (l *limiter) allow(now time.Time, n int) bool {
	l.refill(now)
	if n > l.room {
		l.lines++
		l.bytes += n
		return false
	}
	l.room -= n
	return true
}

func (l *limiter) refill(now time.Time) {
	if l.last.IsZero() {
		l.last, l.room = now, BytesPerSecond
		return
	}
	filled := int64(min(now.Sub(l.last), time.Second)) * BytesPerSecond / int64(time.Second)
	if filled <= 0 {
		return
	}
	l.room = min(l.room+int(filled), BytesPerSecond)
	l.last = now
}

// takeDropped returns what was dropped since the last call.
func (l *limiter) takeDropped() (lines, bytes int) {
	lines, bytes = l.lines, l.bytes
	l.lines, l.bytes = 0, 0
	return lines, bytes
}
