package bench

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Chart draws series of points on two logarithmic axes.
type Chart struct {
	Title string
	// Notes are lines in small print under the title.
	Notes []string
	// X and Y name the axes.
	X, Y   string
	Series []Series
}

// Series is a line of the chart. Its points are in the order of X.
type Series struct {
	Name   string
	Points []Point
}

// Point is a pair of positive numbers.
type Point struct{ X, Y float64 }

// Measures of the picture, in pixels. The legend has the space on the right.
const (
	chartWidth, chartHeight          = 880, 480
	chartLeft, chartRight            = 80, 240
	chartTop, chartBottom            = 80, 60
	chartPlotWidth                   = chartWidth - chartLeft - chartRight
	chartPlotHeight                  = chartHeight - chartTop - chartBottom
	chartFont                        = "font-family='system-ui, sans-serif'"
	chartDark, chartGrey, chartLight = "#222222", "#666666", "#dddddd"
	chartLineHeight, chartTitle      = 22, 28
)

// chartColours are distinguishable for people with colour blindness (Okabe and Ito).
var chartColours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a8a00"}

// WriteSVG draws the chart.
func (c *Chart) WriteSVG(w io.Writer) error {
	var xs, ys []float64
	for _, s := range c.Series {
		for _, p := range s.Points {
			xs, ys = append(xs, p.X), append(ys, p.Y)
		}
	}
	if len(xs) == 0 {
		return fmt.Errorf("there is nothing to draw in %q", c.Title)
	}
	d := &drawing{x: newAxis(xs), y: newAxis(ys)}
	d.printf(
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %[1]d %[2]d'>\n", chartWidth,
		chartHeight,
	)
	d.printf("<rect width='100%%' height='100%%' fill='white'/>\n")
	d.text(chartLeft, chartTitle, "start", 18, chartDark, c.Title)
	for i, note := range c.Notes {
		d.text(chartLeft, float64(chartTitle+18+15*i), "start", 11, chartGrey, note)
	}
	d.axes(c)
	for i, s := range c.Series {
		d.series(i, s)
	}
	d.printf("</svg>\n")
	_, err := io.WriteString(w, d.svg.String())
	return err
}

// drawing is a chart in the making.
type drawing struct {
	svg  strings.Builder
	x, y axis
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.svg, format, args...) }

func (d *drawing) text(x, y float64, anchor string, size int, colour, text string) {
	d.printf("<text x='%.1f' y='%.1f' text-anchor='%s' font-size='%d' fill='%s' %s>%s</text>\n",
		x, y, anchor, size, colour, chartFont, html.EscapeString(text))
}

func (d *drawing) line(x1, y1, x2, y2 float64, colour string) {
	d.printf("<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s'/>\n", x1, y1, x2, y2, colour)
}

// position returns the coordinates of a point in the picture.
func (d *drawing) position(p Point) (x, y float64) {
	return chartLeft + d.x.share(p.X)*chartPlotWidth, chartTop + (1-d.y.share(p.Y))*chartPlotHeight
}

func (d *drawing) axes(c *Chart) {
	const right, bottom = chartLeft + chartPlotWidth, chartTop + chartPlotHeight
	for _, tick := range d.x.ticks() {
		x, _ := d.position(Point{tick, d.y.low})
		d.line(x, chartTop, x, bottom, chartLight)
		d.text(x, bottom+18, "middle", 12, chartDark, number(tick))
	}
	for _, tick := range d.y.ticks() {
		_, y := d.position(Point{d.x.low, tick})
		d.line(chartLeft, y, right, y, chartLight)
		d.text(chartLeft-8, y+4, "end", 12, chartDark, number(tick))
	}
	d.line(chartLeft, bottom, right, bottom, chartDark)
	d.line(chartLeft, chartTop, chartLeft, bottom, chartDark)
	d.text(chartLeft+chartPlotWidth/2, bottom+44, "middle", 13, chartDark, c.X)
	d.printf("<g transform='translate(22 %d) rotate(-90)'>", chartTop+chartPlotHeight/2)
	d.text(0, 0, "middle", 13, chartDark, c.Y)
	d.printf("</g>\n")
}

// series draws the i-th line, its points, and its name in the legend.
func (d *drawing) series(i int, s Series) {
	colour := chartColours[i%len(chartColours)]
	dash := ""
	if i >= len(chartColours) {
		dash = " stroke-dasharray='6 4'"
	}
	var path strings.Builder
	for _, p := range s.Points {
		x, y := d.position(p)
		fmt.Fprintf(&path, "%.1f,%.1f ", x, y)
		d.printf("<circle cx='%.1f' cy='%.1f' r='4' fill='%s'/>\n", x, y, colour)
	}
	d.printf(
		"<polyline points='%s' fill='none' stroke='%s' stroke-width='2'%s/>\n", strings.TrimSpace(path.String()),
		colour, dash,
	)
	const left = chartLeft + chartPlotWidth + 20
	y := float64(chartTop + 10 + i*chartLineHeight)
	d.printf(
		"<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='%s' stroke-width='3'%s/>\n", left, y, left+24, y, colour,
		dash,
	)
	d.text(left+32, y+4, "start", 12, chartDark, s.Name)
}

// axis is a logarithmic scale from low to high.
type axis struct{ low, high float64 }

// tickSteps are the marks within a power of ten.
var tickSteps = []float64{1, 2, 5}

// newAxis returns an axis from a mark below the values to a mark above them.
func newAxis(values []float64) axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	a := axis{0, math.Inf(1)}
	for power := math.Floor(math.Log10(low)); power <= math.Ceil(math.Log10(high)); power++ {
		for _, step := range tickSteps {
			mark := step * math.Pow(10, power)
			if mark <= low {
				a.low = mark
			}
			if mark >= high {
				a.high = min(a.high, mark)
			}
		}
	}
	if a.low == a.high {
		a.high *= 2
	}
	return a
}

// share is the position of the value between low, 0, and high, 1.
func (a axis) share(v float64) float64 {
	return (math.Log10(v) - math.Log10(a.low)) / (math.Log10(a.high) - math.Log10(a.low))
}

// ticks returns the marks from low to high. A long axis has marks at powers of ten only.
func (a axis) ticks() []float64 {
	steps := tickSteps
	if a.high/a.low > 3000 {
		steps = tickSteps[:1]
	}
	var all []float64
	for power := math.Floor(math.Log10(a.low)); power <= math.Ceil(math.Log10(a.high)); power++ {
		for _, step := range steps {
			if mark := step * math.Pow(10, power); mark >= a.low && mark <= a.high {
				all = append(all, mark)
			}
		}
	}
	return all
}
