package templates

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/token"
)

// Bounds of a document. The parser recurses with every level and every key of a block mapping, and copies the rest of
// the document for every value that is left out; within these bounds it stays below a second or two.
const (
	nestingMax    = 64
	mappingMax    = 1000
	emptyMax      = 5000
	propertiesMax = 8
)

// boundError says which bound a document breaks, and where.
type boundError struct {
	at      sourcePos
	message string
}

func (e *boundError) Error() string { return e.message }

// scope is one open block or flow collection.
type scope struct {
	column int
	// opener is the token type that opened it: a key's colon, a dash, a question mark or a bracket.
	opener token.Type
	keys   int
	colon  bool
}

// bounds follows the tokens of a document and keeps the open collections.
type bounds struct {
	scopes     []scope
	flow       int
	empty      int
	properties int
}

// checkBounds returns an error for a document that the parser would take long for, or recurse too deeply.
func checkBounds(tokens token.Tokens) error {
	b := &bounds{}
	tokens = slices.DeleteFunc(slices.Clone(tokens), func(tk *token.Token) bool { return tk.Type == token.CommentType })
	for i, tk := range tokens {
		if message := b.step(tokens, i); message != "" {
			return &boundError{at: tokenAt(tk), message: message}
		}
	}
	return nil
}

func (b *bounds) step(tokens token.Tokens, i int) string {
	tk := tokens[i]
	b.countProperties(tokens, i)
	switch tk.Type {
	case token.MappingStartType, token.SequenceStartType:
		b.scopes = append(b.scopes, scope{column: -1, opener: tk.Type})
		b.flow++
	case token.MappingEndType, token.SequenceEndType:
		b.endFlow()
	case token.CollectEntryType:
		b.endFlowEntry()
	case token.MappingValueType:
		b.key(tokens, i)
	case token.SequenceEntryType, token.MappingKeyType:
		b.open(tk.Position.Column, tk.Type)
	}
	b.countEmpty(tokens, i)
	return b.broken()
}

func (b *bounds) broken() string {
	switch {
	case len(b.scopes) > nestingMax:
		return fmt.Sprintf("nested deeper than %d levels", nestingMax)
	case len(b.scopes) > 0 && b.scopes[len(b.scopes)-1].keys > mappingMax:
		return fmt.Sprintf("a mapping with more than %d keys", mappingMax)
	case b.empty > emptyMax:
		return fmt.Sprintf("more than %d empty values", emptyMax)
	case b.properties > propertiesMax:
		return "too many tags and anchors before one value"
	}
	return ""
}

// countProperties counts the tags and anchors that stand before the same value.
func (b *bounds) countProperties(tokens token.Tokens, i int) {
	switch {
	case tokens[i].Type == token.AnchorType || tokens[i].Type == token.TagType:
		b.properties++
	case i > 0 && tokens[i-1].Type == token.AnchorType: // the anchor's name
	default:
		b.properties = 0
	}
}

// key counts the key before the colon at i, and opens its mapping when it is the first one.
func (b *bounds) key(tokens token.Tokens, i int) {
	if b.flow > 0 {
		top := &b.scopes[len(b.scopes)-1]
		top.keys++
		top.colon = true
		return
	}
	b.open(openerColumn(tokens, i), token.MappingValueType)
	b.scopes[len(b.scopes)-1].keys++
}

// openerColumn is the column of the dash at i, or of the key before the colon at i.
func openerColumn(tokens token.Tokens, i int) int {
	tk := tokens[i]
	if tk.Type == token.MappingValueType && i > 0 && tokens[i-1].Position.Line == tk.Position.Line {
		return tokens[i-1].Position.Column
	}
	return tk.Position.Column
}

// open closes the block collections that end before column and opens one there unless it is open already.
func (b *bounds) open(column int, opener token.Type) {
	if b.flow > 0 {
		return
	}
	for len(b.scopes) > 0 {
		top := b.scopes[len(b.scopes)-1]
		if top.column == column && top.opener == opener {
			return
		}
		// A list may stand at the column of the key that it belongs to, so a dash does not end a mapping there.
		if top.column < column || top.column == column && opener == token.SequenceEntryType {
			break
		}
		b.scopes = b.scopes[:len(b.scopes)-1]
	}
	b.scopes = append(b.scopes, scope{column: column, opener: opener})
}

func (b *bounds) endFlowEntry() {
	if b.flow == 0 {
		return
	}
	top := &b.scopes[len(b.scopes)-1]
	if top.opener == token.MappingStartType && !top.colon {
		b.empty++
	}
	top.colon = false
}

func (b *bounds) endFlow() {
	if b.flow == 0 {
		return
	}
	b.endFlowEntry()
	b.scopes = b.scopes[:len(b.scopes)-1]
	b.flow--
}

// countEmpty counts a colon or dash that no value follows.
func (b *bounds) countEmpty(tokens token.Tokens, i int) {
	tk := tokens[i]
	if tk.Type != token.MappingValueType && tk.Type != token.SequenceEntryType {
		return
	}
	if i+1 == len(tokens) {
		return
	}
	next := tokens[i+1]
	if b.flow > 0 {
		if next.Type == token.CollectEntryType || next.Type == token.MappingEndType {
			b.empty++
		}
		return
	}
	column := openerColumn(tokens, i)
	listBelowKey := tk.Type == token.MappingValueType && next.Type == token.SequenceEntryType && next.Position.Column == column
	if next.Position.Line > tk.Position.Line && next.Position.Column <= column && !listBelowKey {
		b.empty++
	}
}
