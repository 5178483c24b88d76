package templates

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

const (
	// exponentMax is the largest power of ten in a number: that of the smallest double.
	exponentMax = 324
	// digitsMax is the largest count of digits of a number.
	digitsMax = 400
)

func (c *converter) scalar(n *node, tree ast.Node) {
	n.spelling = tree.GetToken().Value
	switch tree := tree.(type) {
	case *ast.NullNode:
		n.kind = kindNull
	case *ast.BoolNode:
		n.setBool(tree.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		c.number(n, tree)
	case *ast.InfinityNode, *ast.NanNode:
		c.fault(n.at(""), "", "JSON has no number %s", n.spelling)
	case *ast.LiteralNode:
		c.setString(n, tree.Value.Value)
	case *ast.StringNode:
		c.plainOrQuoted(n, tree)
	default:
		c.fault(n.at(""), "", "%s is not allowed here", tree.Type())
	}
	n.weight = len(n.text) + 2
}

// plainOrQuoted also reads the YAML 1.1 booleans, since Ruby does.
func (c *converter) plainOrQuoted(n *node, tree *ast.StringNode) {
	c.setString(n, tree.Value)
	if tree.Token.Type != token.StringType {
		return
	}
	switch strings.ToLower(tree.Value) {
	case "yes", "on":
		n.setBool(true)
	case "no", "off":
		n.setBool(false)
	default:
		if isJSONNumber(tree.Value) {
			c.number(n, tree)
		}
	}
}

func (n *node) setBool(value bool) {
	n.kind, n.text = kindBool, strconv.FormatBool(value)
}

func (c *converter) setString(n *node, text string) {
	n.kind, n.text = kindString, text
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		c.fault(n.at(""), "", "text holds a character that PostgreSQL cannot store")
	}
}

// number keeps the spelling where JSON allows it, so that 1.10 stays 1.10.
func (c *converter) number(n *node, tree ast.Node) {
	n.kind, n.text = kindNumber, n.spelling
	if !isJSONNumber(n.text) {
		n.text = numberValue(tree)
	}
	if !isJSONNumber(n.text) || !isReasonable(n.text) {
		c.fault(n.at(""), "write it in quotes", "number %.40s is too large or cannot be written in JSON", n.spelling)
	}
}

func numberValue(tree ast.Node) string {
	switch tree := tree.(type) {
	case *ast.IntegerNode:
		switch value := tree.Value.(type) {
		case int64:
			return strconv.FormatInt(value, 10)
		case uint64:
			return strconv.FormatUint(value, 10)
		}
	case *ast.FloatNode:
		if !math.IsInf(tree.Value, 0) && !math.IsNaN(tree.Value) {
			return strconv.FormatFloat(tree.Value, 'f', -1, 64)
		}
	}
	return ""
}

func isJSONNumber(s string) bool {
	if s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	return json.Valid([]byte(s))
}

// isReasonable says whether a JSON number is one that every handler language can read: a finite double, zero only when it is
// zero, and not endless when it is written out.
func isReasonable(number string) bool {
	mantissa, exponent, found := strings.Cut(strings.ToLower(number), "e")
	power := 0
	if found {
		var err error
		if power, err = strconv.Atoi(exponent); err != nil {
			return false
		}
	}
	if len(mantissa) > digitsMax || power > exponentMax || power < -exponentMax {
		return false
	}
	value, err := strconv.ParseFloat(number, 64)
	return err == nil && (value != 0 || strings.Trim(mantissa, "-0.") == "")
}

// tagged converts a value with an explicit type.
func (c *converter) tagged(tree *ast.TagNode, depth int) *node {
	tag := tree.Start.Value
	where := tokenAt(tree.Start)
	if tree.Value == nil {
		return &node{line: where.line, column: where.column}
	}
	n := c.convert(tree.Value, depth)
	switch token.ReservedTagKeyword(tag) {
	case token.MappingTag, token.SequenceTag, token.IntegerTag, token.FloatTag, token.BooleanTag, token.NullTag:
		return n
	case token.StringTag:
		if n.kind == kindMapping || n.kind == kindSequence {
			break
		}
		text := &node{line: n.line, column: n.column, weight: n.weight}
		c.setString(text, n.name())
		return text
	}
	c.fault(where, "remove the tag", "tag %s is not supported", tag)
	return n
}
