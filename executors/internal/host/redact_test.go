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
		"a word, a wordier one":     "a [secret], a [secret] one",
		`he may say "friend"`:       "he may [secret]",
		`{"said":"say \"friend\""}`: `{"said":"[secret]"}`,
		"key: -----BEGIN KEY-----":  "key: [secret]",
		"  MIIEvQIBADAN":            "  [secret]",
		"short":                     "short",
		`{"key":"-----BEGIN KEY-----\nMIIEvQIBADAN\nshort\n"}`: `{"key":"[secret]"}`,
	}
	for text, want := range tests {
		if got := s.redact(text); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
}
