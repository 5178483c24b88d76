package engine

import (
	"bytes"
	"encoding/json"
)

// CheckUniqueKeys returns an error if an object of valid JSON has a key twice, whichever escapes its spellings use.
// jsonb keeps only the last value of such a key, so that data of the author would be lost.
func CheckUniqueKeys(data []byte) error {
	// seen has an entry for each open level: the keys of an object, nil for an array.
	var seen []map[string]bool
	key := false // the next string is a key
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{':
			seen, key = append(seen, make(map[string]bool)), true
		case '[':
			seen, key = append(seen, nil), false
		case '}', ']':
			seen = seen[:len(seen)-1]
		case ',':
			key = seen[len(seen)-1] != nil
		case '"':
			end := stringEnd(data, i+1)
			if key {
				keys, name := seen[len(seen)-1], unquote(data[i:end+1])
				if keys[name] {
					return errorAt(data, i, "is there twice: "+clip(string(data[i:end+1]), pathBytesMax))
				}
				keys[name], key = true, false
			}
			i = end
		}
	}
	return nil
}

// unquote returns the value of a string token, which includes its quotes.
func unquote(text []byte) string {
	if len(text) < 2 {
		return ""
	}
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1])
	}
	var decoded string
	if json.Unmarshal(text, &decoded) != nil {
		return string(text)
	}
	return decoded
}
