package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

type nodeKind int

const (
	kindNull nodeKind = iota
	kindBool
	kindNumber
	kindString
	kindSequence
	kindMapping
)

// describe names the kind in a sentence.
func (k nodeKind) describe() string {
	return [...]string{"empty", "a boolean", "a number", "a string", "a list", "a mapping"}[k]
}

// node is one value of a document with its place. Aliases are resolved, so nodes are shared and never changed.
type node struct {
	kind nodeKind
	// text is the value of a string and the JSON spelling of a boolean or a number.
	text string
	// spelling is how a boolean or a number is written in the file.
	spelling     string
	items        []*node
	entries      []entry
	line, column int
	// weight is about how many bytes the value has with its aliases written out.
	weight int
}

type entry struct {
	key          string
	line, column int
	value        *node
}

func (n *node) at(path string) sourcePos {
	return sourcePos{line: n.line, column: n.column, path: path}
}

func (e entry) at(path string) sourcePos {
	return sourcePos{line: e.line, column: e.column, path: path}
}

// entry returns the entry of that key. A key with an empty value counts as absent, as it does everywhere in YAML that
// people write.
func (n *node) entry(key string) (entry, bool) {
	if n == nil {
		return entry{}, false
	}
	for _, e := range n.entries {
		if e.key == key {
			return e, e.value.kind != kindNull
		}
	}
	return entry{}, false
}

// get returns the value of that key, nil when it is absent or empty.
func (n *node) get(key string) *node {
	e, ok := n.entry(key)
	if !ok {
		return nil
	}
	return e.value
}

// list returns the items of the sequence at key.
func (n *node) list(key string) []*node {
	value := n.get(key)
	if value == nil {
		return nil
	}
	return value.items
}

// str returns the string at key, or fallback.
func (n *node) str(key, fallback string) string {
	if value := n.get(key); value != nil {
		return value.text
	}
	return fallback
}

// boolean returns the boolean at key, or fallback.
func (n *node) boolean(key string, fallback bool) bool {
	if value := n.get(key); value != nil {
		return value.text == "true"
	}
	return fallback
}

// count returns the whole number at key, or fallback. checkCount saw that it is one.
func (n *node) count(key string, fallback int) int {
	if value := n.get(key); value != nil {
		count, _ := strconv.Atoi(value.text)
		return count
	}
	return fallback
}

// json writes the node as JSON.
func (n *node) json() json.RawMessage {
	var b bytes.Buffer
	n.writeJSON(&b)
	return b.Bytes()
}

func (n *node) writeJSON(b *bytes.Buffer) {
	switch n.kind {
	case kindNull:
		b.WriteString("null")
	case kindBool, kindNumber:
		b.WriteString(n.text)
	case kindString:
		writeString(b, n.text)
	case kindSequence:
		b.WriteByte('[')
		for i, item := range n.items {
			comma(b, i)
			item.writeJSON(b)
		}
		b.WriteByte(']')
	case kindMapping:
		b.WriteByte('{')
		for i, e := range n.entries {
			comma(b, i)
			writeString(b, e.key)
			b.WriteByte(':')
			e.value.writeJSON(b)
		}
		b.WriteByte('}')
	}
}

func comma(b *bytes.Buffer, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}

func writeString(b *bytes.Buffer, s string) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(fmt.Sprintf("templates: encoding a text: %v", err)) // a buffer takes every string
	}
	b.Truncate(b.Len() - 1) // without the line feed
}

// find follows a path of keys and indexes as far as it leads.
func (n *node) find(path []string) *node {
	for _, name := range path {
		next := n.get(name)
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.items) {
			next = n.items[i]
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}
