package manifest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

// The sizes that Teams takes.
const (
	colorSize   = 192
	outlineSize = 32
)

// accent is the colour behind the icon, and of the app where Teams asks for one.
const accent = "#1F3A5F"

var (
	night = color.NRGBA{0x1f, 0x3a, 0x5f, 0xff}
	white = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	clear = color.NRGBA{0xff, 0xff, 0xff, 0}
)

// grain is how many points each way decide on the colour of one pixel.
const grain = 8

// ColorIcon is a white shield with a keyhole on a full square, as Teams wants it: Teams
// rounds the corners itself.
func ColorIcon() ([]byte, error) {
	return drawn(colorSize, night, func(x, y float64) bool { return shield(x, y, 0) && !keyhole(x, y) })
}

// OutlineIcon is the shield's outline, white on nothing.
func OutlineIcon() ([]byte, error) {
	return drawn(outlineSize, clear, func(x, y float64) bool {
		x, y = (x-0.5)*0.8+0.5, (y-0.5)*0.8+0.5 // larger: there is no square around it
		return shield(x, y, 0) && !shield(x, y, 0.055) || keyhole(x, y)
	})
}

// shield reports whether a point of the unit square lies in the shield, or in the shield
// made smaller by the rim.
func shield(x, y, rim float64) bool {
	const top, bend, tip, half = 0.16, 0.48, 0.88, 0.30
	side := math.Abs(x - 0.5)
	switch {
	case y < top+rim || y > tip-rim*1.4:
		return false
	case y < bend:
		return side < half-rim
	}
	down := (y - bend) / (tip - rim*1.4 - bend)
	return side < (half-rim)*math.Sqrt(1-down*down)
}

// keyhole is a circle above a slot that widens.
func keyhole(x, y float64) bool {
	dx, dy := x-0.5, y-0.42
	if dx*dx+dy*dy < 0.075*0.075 {
		return true
	}
	return y >= 0.44 && y < 0.63 && math.Abs(dx) < 0.03+(y-0.44)*0.16
}

// drawn fills a square: white where a point is inside, the ground elsewhere, mixed at the
// edges.
func drawn(size int, ground color.NRGBA, inside func(x, y float64) bool) ([]byte, error) {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for py := range size {
		for px := range size {
			hits := 0
			for i := range grain * grain {
				x := (float64(px) + (float64(i%grain)+0.5)/grain) / float64(size)
				y := (float64(py) + (float64(i/grain)+0.5)/grain) / float64(size)
				if inside(x, y) {
					hits++
				}
			}
			img.SetNRGBA(px, py, mixed(ground, white, hits))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("draw an icon: %w", err)
	}
	return b.Bytes(), nil
}

func mixed(from, to color.NRGBA, hits int) color.NRGBA {
	mix := func(a, b uint8) uint8 { return uint8((int(a)*(grain*grain-hits) + int(b)*hits) / (grain * grain)) } // #nosec G115 -- between two bytes
	return color.NRGBA{mix(from.R, to.R), mix(from.G, to.G), mix(from.B, to.B), mix(from.A, to.A)}
}
