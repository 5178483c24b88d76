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

// Redacted is the mask that replaces a secret. The hosts use the same mask.
const Redacted = "[REDACTED]"

// The sizes of the shortest values that are redacted. A smaller minimum would redact ordinary words. The hosts use the
// same minimum.
const (
	SecretBytesMin = 4
	// SecretLineBytesMin applies to each line of a secret of several lines.
	SecretLineBytesMin = 6
)

// Redactor redacts known values in text. The zero value redacts nothing.
type Redactor struct{ replacer *strings.Replacer }

// NewRedactor returns a redactor of the values, except for those shorter than [SecretBytesMin]. It also redacts the
// JSON notation of a value and, because logs consist of lines, each line of a value of several lines.
func NewRedactor(values ...string) Redactor {
	var forms []string
	for _, value := range values {
		forms = append(forms, SecretForms(value)...)
	}
	// The longest value comes first. Otherwise the end of a value that begins with another value would remain.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, form := range slices.Compact(forms) {
		pairs = append(pairs, form, Redacted)
	}
	if len(pairs) == 0 {
		return Redactor{}
	}
	return Redactor{strings.NewReplacer(pairs...)}
}

// SecretForms returns the texts in which a secret can occur: the value, its JSON notation, and each of its lines. It
// returns nothing for a value that is too short to be redacted.
func SecretForms(value string) []string {
	trimmed := strings.TrimSpace(value)
	if len(trimmed) < SecretBytesMin {
		return nil
	}
	forms := []string{trimmed, jsonText(value), jsonText(trimmed)}
	if !strings.Contains(trimmed, "\n") {
		return forms
	}
	for line := range strings.Lines(trimmed) {
		if line = strings.TrimSpace(line); len(line) >= SecretLineBytesMin {
			forms = append(forms, line)
		}
	}
	return forms
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
