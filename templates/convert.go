package templates

import (
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// expandedMax bounds the bytes of a document with its aliases written out, which may multiply a small file.
const expandedMax = 8 << 20

// converter turns the library's tree into nodes and reports what JSON cannot hold.
type converter struct {
	*diagnostics

	// anchors holds each anchor's value, nil while that value is being converted.
	anchors map[string]*node
}

// convert returns a node for any tree; what it reports decides whether the node is of use.
func (c *converter) convert(tree ast.Node, depth int) *node {
	where := tokenAt(tree.GetToken())
	n := &node{line: where.line, column: where.column, weight: 1}
	if depth > nestingMax {
		c.fault(where, "", "nested deeper than %d levels", nestingMax)
		return n
	}
	switch tree := tree.(type) {
	case *ast.MappingNode:
		c.mapping(n, tree.Values, depth)
		n.beginAt(tree.IsFlowStyle, tree.Start)
	case *ast.MappingValueNode:
		c.mapping(n, []*ast.MappingValueNode{tree}, depth)
	case *ast.SequenceNode:
		c.sequence(n, tree, depth)
		n.beginAt(tree.IsFlowStyle, tree.Start)
	case *ast.AnchorNode:
		return c.anchor(tree, depth)
	case *ast.AliasNode:
		return c.alias(tree, n)
	case *ast.TagNode:
		return c.tagged(tree, depth)
	default:
		c.scalar(n, tree)
	}
	if n.weight > expandedMax {
		c.fault(where, "aliases multiply it", "document is larger than %d bytes once its aliases are written out", expandedMax)
		return &node{line: n.line, column: n.column}
	}
	return n
}

// beginAt moves a collection in brackets to its bracket; one in lines begins with its first key or dash.
func (n *node) beginAt(flow bool, bracket *token.Token) {
	if flow && bracket != nil {
		n.line, n.column = bracket.Position.Line, bracket.Position.Column
	}
}

func (c *converter) sequence(n *node, tree *ast.SequenceNode, depth int) {
	n.kind = kindSequence
	for _, value := range tree.Values {
		item := c.convert(value, depth+1)
		n.items = append(n.items, item)
		n.weight += item.weight + 1
	}
}

func (c *converter) anchor(tree *ast.AnchorNode, depth int) *node {
	name := tree.Name.GetToken().Value
	c.anchors[name] = nil
	value := c.convert(tree.Value, depth)
	c.anchors[name] = value
	return value
}

func (c *converter) alias(tree *ast.AliasNode, n *node) *node {
	name := tree.Value.GetToken().Value
	value, known := c.anchors[name]
	switch {
	case !known:
		c.fault(n.at(""), c.didYouMean(name, keys(c.anchors)), "alias *%s has no anchor &%s before it", name, name)
	case value == nil:
		c.fault(n.at(""), "", "alias *%s stands inside its own anchor", name)
	default:
		return value
	}
	return n
}

func (c *converter) mapping(n *node, values []*ast.MappingValueNode, depth int) {
	n.kind = kindMapping
	if len(values) > 0 {
		where := tokenAt(values[0].Key.GetToken())
		n.line, n.column = where.line, where.column
	}
	first := map[string]int{}
	var merges []*node
	for _, value := range values {
		if value.Key.IsMergeKey() {
			merges = append(merges, c.convert(value.Value, depth+1))
			continue
		}
		e, ok := c.entry(value, depth)
		if !ok {
			continue
		}
		if line, twice := first[e.key]; twice {
			c.fault(e.at(e.key), "", "key %q is given twice, first on line %d", e.key, line)
			continue
		}
		first[e.key] = e.line
		n.add(e)
	}
	for _, merge := range merges {
		c.merge(n, merge, first)
	}
}

func (n *node) add(e entry) {
	n.entries = append(n.entries, e)
	n.weight += e.value.weight + len(e.key) + 4
}

func (c *converter) entry(value *ast.MappingValueNode, depth int) (entry, bool) {
	where := tokenAt(value.Key.GetToken())
	key := c.convertKey(value.Key)
	if key == nil {
		return entry{}, false
	}
	return entry{key: key.name(), line: where.line, column: where.column, value: c.convert(value.Value, depth+1)}, true
}

// convertKey returns the key of a mapping, nil when it is no scalar.
func (c *converter) convertKey(tree ast.Node) *node {
	if explicit, ok := tree.(*ast.MappingKeyNode); ok {
		tree = explicit.Value
	}
	key := c.convert(tree, nestingMax-1)
	if key.kind == kindMapping || key.kind == kindSequence {
		c.fault(tokenAt(tree.GetToken()), "", "a key must be a scalar, is %s", key.kind.describe())
		return nil
	}
	return key
}

// name is a scalar as the name of a key: as it is written.
func (n *node) name() string {
	if n.kind == kindString {
		return n.text
	}
	return n.spelling
}

// merge adds the entries of a merge key's value which the mapping does not have itself.
func (c *converter) merge(n, from *node, present map[string]int) {
	if from.kind == kindSequence {
		for _, item := range from.items {
			c.merge(n, item, present)
		}
		return
	}
	if from.kind != kindMapping {
		c.fault(from.at("<<"), "", "<< must merge a mapping, got %s", from.kind.describe())
		return
	}
	for _, e := range from.entries {
		if _, taken := present[e.key]; !taken {
			present[e.key] = e.line
			n.add(e)
		}
	}
}

func keys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	return names
}
