package report

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // read
	"image/png"
	"net/http"

	"golang.org/x/image/draw"

	"responsehub"
)

const (
	logoBytes = 2 << 20
	logoSide  = 4000 // pixels
	// What a logo is made of in a report: enough for a sharp print at its size there.
	logoWide, logoHigh = 800, 240
)

// Logo reads an MSP's logo, a PNG or a JPEG, and returns it as the reports show it: a plain
// PNG of a modest size without anything that was hidden in the file. SVG is not taken: it
// may hold scripts and addresses, and a PDF cannot show it as it is.
func Logo(file []byte) ([]byte, error) {
	refuse := func(format string, args ...any) ([]byte, error) {
		return nil, &responsehub.Error{Kind: responsehub.Invalid, Message: fmt.Sprintf(format, args...)}
	}
	if len(file) > logoBytes {
		return refuse("The logo has %.1f MB; up to %d MB are taken.", float64(len(file))/(1<<20), logoBytes>>20)
	}
	kind := http.DetectContentType(file)
	if bytes.Contains(file[:min(len(file), 1024)], []byte("<svg")) {
		return refuse("The logo is an SVG. Save it as a PNG, 800 pixels wide.")
	}
	if kind != "image/png" && kind != "image/jpeg" {
		return refuse("The logo is neither a PNG nor a JPEG.")
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return refuse("The logo cannot be read; it may be damaged. Save it anew as a PNG.")
	}
	if size.Width > logoSide || size.Height > logoSide || size.Width < 1 || size.Height < 1 {
		return refuse("The logo has %d by %d pixels; up to %d by %d are taken.", size.Width, size.Height, logoSide, logoSide)
	}
	full, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return refuse("The logo cannot be read; it may be damaged. Save it anew as a PNG.")
	}
	w, h := size.Width, size.Height
	if w > logoWide {
		w, h = logoWide, max(1, h*logoWide/w)
	}
	if h > logoHigh {
		w, h = max(1, w*logoHigh/h), logoHigh
	}
	shown := image.NewNRGBA(image.Rect(0, 0, w, h)) // eight bits, not interlaced: what every PDF writer takes
	draw.CatmullRom.Scale(shown, shown.Bounds(), full, full.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := png.Encode(&out, shown); err != nil {
		return nil, fmt.Errorf("report: encode the logo: %w", err)
	}
	return out.Bytes(), nil
}
