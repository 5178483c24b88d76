package templates

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML returns the mapping that the document is, or nil after having reported why it is none.
func (r *diagnostics) parseYAML(data []byte) *node {
	start := sourcePos{line: 1, column: 1}
	if len(data) > FileBytesMax {
		r.fault(sourcePos{}, "", "is larger than the %d bytes allowed", FileBytesMax)
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if where, ok := badByte(data); ok {
		r.fault(where, "save the file as UTF-8", "not a text in UTF-8")
		return nil
	}
	// One kind of line end keeps the positions of all of them right.
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	file, err := parseText(text)
	if err != nil {
		r.syntaxFault(err)
		return nil
	}
	body := r.onlyDocument(file)
	if body == nil {
		if len(r.faults) == 0 {
			r.fault(start, "a template needs name and step_templates", "file is empty")
		}
		return nil
	}
	c := &converter{diagnostics: r, anchors: map[string]*node{}}
	root := c.convert(body, 0)
	if len(r.faults) > 0 {
		return nil
	}
	if root.kind != kindMapping {
		r.fault(root.at(""), "a template begins with keys such as name: and step_templates:",
			"template must be a mapping, is %s", root.kind.describe())
		return nil
	}
	return root
}

// parseText is the only call of the YAML library's parser. A document that makes it panic is a document that it cannot
// parse.
func parseText(text string) (file *ast.File, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			file, err = nil, fmt.Errorf("YAML cannot be parsed: %v", cause)
		}
	}()
	tokens := lexer.Tokenize(text)
	if err := checkBounds(tokens); err != nil {
		return nil, err
	}
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

func (r *diagnostics) syntaxFault(err error) {
	var where sourcePos
	message := err.Error
	if syntax, ok := errors.AsType[yaml.Error](err); ok {
		// The library's own text would repeat the source.
		message = syntax.GetMessage
		where = tokenAt(syntax.GetToken())
	}
	if bound, ok := errors.AsType[*boundError](err); ok {
		where = bound.at
	}
	if where.line == 0 {
		where = sourcePos{line: 1, column: 1}
	}
	r.fault(where, "", "%s", message())
}

func tokenAt(tk *token.Token) sourcePos {
	if tk == nil || tk.Position == nil {
		return sourcePos{}
	}
	return sourcePos{line: tk.Position.Line, column: tk.Position.Column}
}

// onlyDocument returns the body of the one document in file.
func (r *diagnostics) onlyDocument(file *ast.File) ast.Node {
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, ok := doc.Body.(*ast.DirectiveNode); ok {
			continue
		}
		if body != nil {
			r.fault(tokenAt(doc.Body.GetToken()), "put it into a file of its own", "a second template in one file")
			return nil
		}
		body = doc.Body
	}
	return body
}

// badByte finds the first byte that is no UTF-8 or is NUL.
func badByte(data []byte) (sourcePos, bool) {
	where := sourcePos{line: 1, column: 1}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == 0 || r == utf8.RuneError && size <= 1 {
			return where, true
		}
		where.column++
		if r == '\n' {
			where = sourcePos{line: where.line + 1, column: 1}
		}
		data = data[size:]
	}
	return sourcePos{}, false
}
