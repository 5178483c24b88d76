package templates

import "slices"

// graph is a template's steps by index. Dependencies on unknown steps are left out.
type graph struct {
	names    []string
	parents  [][]int
	children [][]int
}

func newGraph(t *Template) *graph {
	n := len(t.Steps)
	g := &graph{names: stepNames(t), parents: make([][]int, n), children: make([][]int, n)}
	indexes := make(map[string]int, n)
	for i := n - 1; i >= 0; i-- {
		indexes[t.Steps[i].Name] = i
	}
	for i := range t.Steps {
		for _, name := range t.Steps[i].DependsOn {
			if parent, ok := indexes[name]; ok {
				g.parents[i] = append(g.parents[i], parent)
				g.children[parent] = append(g.children[parent], i)
			}
		}
	}
	return g
}

// levels returns the steps by the length of the longest path that leads to them. Steps on a cycle, or behind one, are
// in none.
func (g *graph) levels() [][]int {
	waiting := make([]int, len(g.names))
	var level []int
	for i, parents := range g.parents {
		if waiting[i] = len(parents); len(parents) == 0 {
			level = append(level, i)
		}
	}
	var levels [][]int
	for len(level) > 0 {
		levels = append(levels, level)
		var next []int
		for _, i := range level {
			for _, child := range g.children[i] {
				if waiting[child]--; waiting[child] == 0 {
					next = append(next, child)
				}
			}
		}
		slices.Sort(next)
		level = next
	}
	return levels
}

func (g *graph) named(indexes []int) []string {
	names := make([]string, len(indexes))
	for i, at := range indexes {
		names[i] = g.names[at]
	}
	return names
}

// Levels returns the names of the steps by the length of the longest path that leads to them: those of one level can
// run once the levels before are done. Within a level they are in the order of the template.
func (t *Template) Levels() [][]string {
	g := newGraph(t)
	levels := g.levels()
	named := make([][]string, len(levels))
	for i, level := range levels {
		named[i] = g.named(level)
	}
	return named
}

// Roots returns the steps without parents, with which a task begins.
func (t *Template) Roots() []string {
	g := newGraph(t)
	return g.without(g.parents)
}

// Leaves returns the steps without children, with which a task ends.
func (t *Template) Leaves() []string {
	g := newGraph(t)
	return g.without(g.children)
}

func (g *graph) without(relatives [][]int) []string {
	names := []string{}
	for i, name := range g.names {
		if len(relatives[i]) == 0 {
			names = append(names, name)
		}
	}
	return names
}

// cycles returns one cycle for each edge that closes one in a depth-first walk: the indexes of its steps, parents
// before children, beginning with the step that is first in the template.
func (g *graph) cycles() [][]int {
	w := &cycleWalk{graph: g, state: make([]int, len(g.names))}
	for i := range g.names {
		w.visit(i)
	}
	return w.found
}

// cycleWalk is a depth-first walk along the children.
type cycleWalk struct {
	*graph

	// state is 0 before a step is visited, 1 while it is on the path, 2 after.
	state []int
	path  []int
	found [][]int
}

func (w *cycleWalk) visit(i int) {
	switch w.state[i] {
	case 1:
		w.found = append(w.found, rotated(w.path[slices.Index(w.path, i):]))
		return
	case 2:
		return
	}
	w.state[i] = 1
	w.path = append(w.path, i)
	for _, child := range w.children[i] {
		w.visit(child)
	}
	w.path = w.path[:len(w.path)-1]
	w.state[i] = 2
}

// rotated returns the cycle beginning with its smallest index.
func rotated(cycle []int) []int {
	start := slices.Index(cycle, slices.Min(cycle))
	return slices.Concat(cycle[start:], cycle[:start])
}
