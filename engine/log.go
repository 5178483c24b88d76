package engine

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// AttemptLog stores the lines that attempts print and log. Its methods return immediately and never fail a step: lines
// that cannot be stored are dropped and counted. Implementations are safe for concurrent use.
type AttemptLog interface {
	// Append adds one line of an attempt.
	Append(a *Attempt, line LogLine)
	// End ends the log of the attempt. A few late lines may still follow.
	End(a *Attempt)
}

// LogLine is one line that an attempt printed or logged.
type LogLine struct {
	At time.Time
	// Level is debug, info, warn or error.
	Level string
	// Stream is stdout, stderr, log for a structured record, or worker for a line that the worker adds.
	Stream  string
	Message string
}

// Bounds of the stored log of one attempt.
const (
	LogLinesMax = 2000
	LogBytesMax = 256 << 10
)

// Redacted is the mask that replaces a secret.
const Redacted = "xxxxx"

// secretBytesMin is the size of the shortest value that is redacted: a shorter one would redact ordinary words.
const secretBytesMin = 6

// Redactor redacts known values in text. The zero value redacts nothing.
type Redactor struct{ replacer *strings.Replacer }

// NewRedactor returns a redactor of the values, except for those shorter than six bytes. It also redacts the JSON
// notation of a value and, because logs consist of lines, each line of a value of several lines.
func NewRedactor(values ...string) Redactor {
	var forms []string
	for _, value := range values {
		forms = append(forms, value, jsonText(value))
		forms = append(forms, strings.Split(value, "\n")...)
	}
	// The longest value comes first. Otherwise the end of a value that begins with another value would remain.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, form := range slices.Compact(forms) {
		if form = strings.TrimSpace(form); len(form) >= secretBytesMin {
			pairs = append(pairs, form, Redacted)
		}
	}
	if len(pairs) == 0 {
		return Redactor{}
	}
	return Redactor{strings.NewReplacer(pairs...)}
}

// jsonText returns text in the notation of JSON, without the quotes.
func jsonText(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return string(encoded[1 : len(encoded)-1])
}

// Redact returns text without the secrets.
func (r Redactor) Redact(text string) string {
	if r.replacer == nil {
		return text
	}
	return r.replacer.Replace(text)
}

// IsSecretKey reports whether a key of a structured record names a secret.
func IsSecretKey(key string) bool {
	key = strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(strings.ToLower(key))
	for _, part := range []string{
		"password", "passwd", "passphrase", "secret", "token", "apikey", "authorization", "credential", "privatekey",
		"cookie",
	} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}
