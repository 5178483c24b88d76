package engine

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// AttemptLog keeps what attempts print and log. Its methods return at once and never fail a step: what cannot be kept is
// dropped and counted. Implementations are safe for concurrent use.
type AttemptLog interface {
	// Append takes one line of an attempt.
	Append(a *Attempt, line LogLine)
	// End says that the attempt has ended. A few lines may still follow.
	End(a *Attempt)
}

// LogLine is one line that an attempt printed or logged.
type LogLine struct {
	At time.Time
	// Level is debug, info, warn or error.
	Level string
	// Stream is stdout, stderr, log for a structured record, or worker for what the worker adds.
	Stream  string
	Message string
}

// Bounds of what is kept of one attempt.
const (
	LogLinesMax = 2000
	LogBytesMax = 256 << 10
)

// Redacted stands where a secret was.
const Redacted = "xxxxx"

// secretBytesMin is the shortest value that is looked for in text: shorter ones would hide ordinary words.
const secretBytesMin = 6

// Redactor hides known values in text. The zero value hides nothing.
type Redactor struct{ replacer *strings.Replacer }

// NewRedactor returns what hides the values, of which those shorter than six bytes are left out. A value of several lines
// is hidden line by line as well, since a log is, and as JSON writes it.
func NewRedactor(values ...string) Redactor {
	var forms []string
	for _, value := range values {
		forms = append(forms, value, jsonText(value))
		forms = append(forms, strings.Split(value, "\n")...)
	}
	// The longest come first, so that of a value that begins with another no end is left.
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

// jsonText is a text within the quotes of JSON.
func jsonText(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return string(encoded[1 : len(encoded)-1])
}

// Redact returns text without the secrets.
func (s Redactor) Redact(text string) string {
	if s.replacer == nil {
		return text
	}
	return s.replacer.Replace(text)
}

// IsSecretKey says whether a key of a structured record names something that is not to be written down.
func IsSecretKey(key string) bool {
	key = strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(strings.ToLower(key))
	for _, part := range []string{"password", "passwd", "passphrase", "secret", "token", "apikey", "authorization", "credential", "privatekey", "cookie"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}
