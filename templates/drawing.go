package templates

import (
	"fmt"
	"strings"
)

// Size of a drawing: wider graphs are written level by level instead.
const (
	drawingColumns = 80
	drawingLanes   = 16
)

// Graph draws the steps for a terminal of 80 columns, parents above children, one step to a line:
//
//	● start
//	├─╮
//	● │ left
//	│ ● right
//	├─╯
//	● merge  ← left, right
//
// A graph with more lines side by side than fit is written as a list of its levels, each step with its parents.
func (t *Template) Graph() string {
	g := newGraph(t)
	d := &drawing{graph: g}
	if !d.draw() {
		return g.outline()
	}
	return d.text.String()
}

// drawing draws a graph from top to bottom. A lane is a column that leads down to one step; whatever leads to that step
// joins it.
type drawing struct {
	*graph

	text strings.Builder
	// lanes holds the index of the step that each lane leads to, or free.
	lanes []int
	// ended is the lane of the step just drawn when nothing follows it, or free.
	ended int
}

// free marks a lane that leads nowhere.
const free = -1

// draw reports false when the graph is too wide.
func (d *drawing) draw() bool {
	d.ended = free
	for _, level := range d.levels() {
		for _, step := range level {
			d.step(step)
			if len(d.lanes) > drawingLanes {
				return false
			}
		}
	}
	return true
}

func (d *drawing) step(step int) {
	lane := d.laneOf(step)
	isRoot := lane == free
	if isRoot {
		lane = d.open(step, 0)
	}
	if isRoot && lane == d.ended {
		// Without a gap the step above would seem to lead here.
		d.row(d.verticals(lane), "")
	}
	marks := d.verticals(lane)
	marks[lane] = "●"
	d.row(marks, d.label(step))
	d.ended = free
	if len(d.children[step]) == 0 {
		d.ended = lane
	}
	d.follow(step, lane)
}

// label is the step's name, with its parents when a line alone could not tell them.
func (d *drawing) label(step int) string {
	label := d.names[step]
	if parents := d.parents[step]; len(parents) > 1 {
		label += "  ← " + strings.Join(d.named(parents), ", ")
	}
	return label
}

func (d *drawing) laneOf(step int) int {
	for lane, target := range d.lanes {
		if target == step {
			return lane
		}
	}
	return free
}

// open returns a free lane at or right of from, which then leads to step.
func (d *drawing) open(step, from int) int {
	for lane := from; lane < len(d.lanes); lane++ {
		if d.lanes[lane] == free {
			d.lanes[lane] = step
			return lane
		}
	}
	d.lanes = append(d.lanes, step)
	return len(d.lanes) - 1
}

// follow leads from the step just drawn in lane to its children.
func (d *drawing) follow(step, lane int) {
	before := append([]int{}, d.lanes...)
	d.lanes[lane] = free
	joined := map[int]bool{}
	var fresh []int
	pulled := free
	for _, child := range d.children[step] {
		existing := d.laneOf(child)
		switch {
		case existing == free:
			fresh = append(fresh, child)
		case existing > lane && pulled == free:
			pulled = existing
			joined[existing] = true
		default:
			joined[existing] = true
		}
	}
	if len(fresh) == 0 && pulled != free {
		d.lanes[lane], d.lanes[pulled] = d.lanes[pulled], free
	}
	for i, child := range fresh {
		if i == 0 {
			d.lanes[lane] = child
			continue
		}
		joined[d.open(child, lane+1)] = true
	}
	d.connect(lane, before, joined)
	d.trim()
}

// trim drops the free lanes at the right.
func (d *drawing) trim() {
	for len(d.lanes) > 0 && d.lanes[len(d.lanes)-1] == free {
		d.lanes = d.lanes[:len(d.lanes)-1]
	}
}

// connect draws the line between a step in lane and the lanes that it joins; a step that only goes on needs none.
func (d *drawing) connect(lane int, before []int, joined map[int]bool) {
	if len(joined) == 0 {
		return
	}
	left, right := lane, lane
	for other := range joined {
		left, right = min(left, other), max(right, other)
	}
	marks := make([]string, max(len(before), len(d.lanes)))
	for i := range marks {
		marks[i] = joint{
			up:     i < len(before) && before[i] != free,
			down:   i < len(d.lanes) && d.lanes[i] != free,
			left:   i > left && i <= right,
			right:  i >= left && i < right,
			joined: i == lane || joined[i],
		}.mark()
	}
	d.rowWithLine(marks, left, right)
}

// joint is one crossing of a lane with the line between lanes.
type joint struct {
	up, down, left, right bool
	// joined lanes are connected with the line; others pass under it.
	joined bool
}

func (j joint) mark() string {
	if !j.joined && (j.up || j.down) {
		return "│"
	}
	index := 0
	for bit, set := range []bool{j.up, j.down, j.left, j.right} {
		if set {
			index |= 1 << bit
		}
	}
	return [...]string{" ", "╵", "╷", "│", "╴", "╯", "╮", "┤", "╶", "╰", "╭", "├", "─", "┴", "┬", "┼"}[index]
}

// verticals are the marks of all lanes, with a gap at one.
func (d *drawing) verticals(gap int) []string {
	marks := make([]string, len(d.lanes))
	for i, target := range d.lanes {
		marks[i] = "│"
		if target == free || i == gap {
			marks[i] = " "
		}
	}
	return marks
}

// row writes the marks of the lanes and a label, cut to the width of the drawing.
func (d *drawing) row(marks []string, label string) {
	line := strings.Join(marks, " ") + " " + label
	d.text.WriteString(shorten(strings.TrimRight(line, " "), drawingColumns) + "\n")
}

// rowWithLine writes the marks of the lanes and the line that runs from lane left to lane right.
func (d *drawing) rowWithLine(marks []string, left, right int) {
	var line strings.Builder
	line.WriteString(marks[0])
	for i, mark := range marks[1:] {
		gap := " "
		if i >= left && i < right {
			gap = "─"
		}
		line.WriteString(gap + mark)
	}
	d.text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}

// outline lists the steps level by level.
func (g *graph) outline() string {
	var b strings.Builder
	for i, level := range g.levels() {
		fmt.Fprintf(&b, "level %d\n", i+1)
		for _, step := range level {
			line := "  " + g.names[step]
			if parents := g.named(g.parents[step]); len(parents) > 0 {
				line += "  ← " + strings.Join(parents, ", ")
			}
			b.WriteString(shorten(line, drawingColumns) + "\n")
		}
	}
	return b.String()
}
