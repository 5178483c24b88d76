package host

import "testing"

func TestSecretsAreHiddenInEveryForm(t *testing.T) {
	t.Parallel()
	var s secrets
	for _, value := range []string{"abc", "word", "wordier", `say "friend"`, "-----BEGIN KEY-----\nMIIEvQIBADAN\nshort\n"} {
		s.add(value)
	}
	tests := map[string]string{
		"abc is too short":          "abc is too short",
		"a word, a wordier one":     "a [REDACTED], a [REDACTED] one",
		`he may say "friend"`:       "he may [REDACTED]",
		`{"said":"say \"friend\""}`: `{"said":"[REDACTED]"}`,
		"key: -----BEGIN KEY-----":  "key: [REDACTED]",
		"  MIIEvQIBADAN":            "  [REDACTED]",
		"short":                     "short",
		`{"key":"-----BEGIN KEY-----\nMIIEvQIBADAN\nshort\n"}`: `{"key":"[REDACTED]"}`,
	}
	for text, want := range tests {
		if got := s.redact(text); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
}
