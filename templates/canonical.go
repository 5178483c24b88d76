package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// canonicalOf encodes a value as JSON with sorted members, without needless escapes, and with numbers as jsonb has them.
// It panics on a value that is no JSON, such as a Template whose Schema was filled with other text.
func canonicalOf(value any) json.RawMessage {
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("templates: encoding a template: %v", err))
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(canonicalValue(decode(data))); err != nil {
		panic(fmt.Sprintf("templates: encoding a template: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// decode reads valid JSON and keeps the spelling of numbers.
func decode(data []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic(fmt.Sprintf("templates: decoding a template: %v", err))
	}
	return value
}

func canonicalValue(value any) any {
	switch value := value.(type) {
	case json.Number:
		return json.Number(canonicalNumber(value.String()))
	case []any:
		for i := range value {
			value[i] = canonicalValue(value[i])
		}
	case map[string]any:
		for key := range value {
			value[key] = canonicalValue(value[key])
		}
	}
	return value
}

// canonicalNumber writes a JSON number as PostgreSQL's numeric does: without an exponent, with the digits behind the
// point that it was given. 1.50 stays 1.50, 1e3 becomes 1000, -0 becomes 0.
func canonicalNumber(number string) string {
	if !isReasonable(number) {
		return number
	}
	mantissa, exponentText, _ := strings.Cut(strings.ToLower(number), "e")
	exponent, _ := strconv.Atoi(exponentText) // none is 0
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	text := shiftPoint(whole, fraction, exponent)
	if negative && strings.Trim(text, "0.") != "" {
		return "-" + text
	}
	return text
}

// shiftPoint writes whole.fraction times ten to the exponent.
func shiftPoint(whole, fraction string, exponent int) string {
	if missing := exponent - len(fraction); missing > 0 {
		fraction += strings.Repeat("0", missing)
	}
	if missing := -exponent - len(whole); missing > 0 {
		whole = strings.Repeat("0", missing) + whole
	}
	digits := whole + fraction
	point := len(whole) + exponent
	whole, fraction = strings.TrimLeft(digits[:point], "0"), digits[point:]
	if whole == "" {
		whole = "0"
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}
