package report_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"responsehub"
	"responsehub/report"
)

// mark is a logo: a blue field with a green bar, sixteen bits deep and see-through at its
// edge, as design programs export them.
func mark(w, h int) image.Image {
	m := image.NewNRGBA64(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA64{0x1111, 0x4444, 0xcccc, 0xffff}
			if x > w/2 {
				c = color.NRGBA64{0x1111, 0xaaaa, 0x4444, 0xffff}
			}
			if x < 4 || y < 4 {
				c.A = 0x4000
			}
			m.SetNRGBA64(x, y, c)
		}
	}
	return m
}

func encoded(t testing.TB, m image.Image, asJPEG bool) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if asJPEG {
		err = jpeg.Encode(&b, m, nil)
	} else {
		err = png.Encode(&b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb is a PNG of a few bytes that says of itself that it is huge.
func bomb() []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), 60_000), 60_000)
	head = append(head, 8, 6, 0, 0, 0)
	out := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), 13)
	return binary.BigEndian.AppendUint32(append(out, head...), crc32.ChecksumIEEE(head))
}

func TestALogoIsRefusedWithASentence(t *testing.T) {
	good := encoded(t, mark(600, 150), false)
	for name, tt := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":     {nil, "neither a PNG nor a JPEG"},
		"nonsense":    {bytes.Repeat([]byte{7, 200}, 999), "neither a PNG nor a JPEG"},
		"a page":      {[]byte("<!doctype html><script>alert(1)</script>"), "neither"},
		"SVG":         {[]byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "Save it as a PNG"},
		"GIF":         {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"), "neither"},
		"cut short":   {good[:len(good)/2], "may be damaged"},
		"head only":   {[]byte("\x89PNG\r\n\x1a\n"), "may be damaged"},
		"five MB":     {append(bytes.Clone(good), make([]byte, 5<<20)...), "5.0 MB; up to 2 MB"},
		"huge":        {bomb(), "60000 by 60000 pixels"},
		"a bad pixel": {append(bytes.Clone(good[:len(good)-40]), make([]byte, 40)...), "may be damaged"},
	} {
		if _, err := report.Logo(tt.file); responsehub.KindOf(err) != responsehub.Invalid || !strings.Contains(responsehub.Sentence(err), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestALogoIsInThePageAndInThePDF: the reports show it small and flat whatever it was made
// with, and nothing that the file held beside the picture.
func TestALogoIsInThePageAndInThePDF(t *testing.T) {
	for name, file := range map[string][]byte{
		"PNG": append(encoded(t, mark(2400, 600), false), "HIDDEN-IN-THE-FILE"...), "JPEG": encoded(t, mark(600, 150), true), "tall": encoded(t, mark(100, 2000), false), "one pixel": encoded(t, mark(1, 1), false),
	} {
		logo, err := report.Logo(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		size, kind, err := image.DecodeConfig(bytes.NewReader(logo))
		if err != nil || kind != "png" || size.Width > 800 || size.Height > 240 || bytes.Contains(logo, []byte("HIDDEN")) {
			t.Errorf("%s: %s of %d by %d (%v)", name, kind, size.Width, size.Height, err)
		}
		d := document()
		d.Brand.Logo = logo
		var page, pdf bytes.Buffer
		if err := d.HTML(&page); err != nil || !strings.Contains(page.String(), "data:image/png;base64,"+base64.StdEncoding.EncodeToString(logo)[:40]) {
			t.Errorf("%s: the page lacks the logo (%v)", name, err)
		}
		if err := d.PDF(&pdf); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		path := filepath.Join(t.TempDir(), "report.pdf")
		if err := os.WriteFile(path, pdf.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "pdfimages", "-list", path).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "image") {
			t.Errorf("%s: the PDF has no picture (%v):\n%s", name, err, out)
		}
	}
}

func FuzzLogo(f *testing.F) {
	f.Add(encoded(f, mark(20, 10), false))
	f.Add(encoded(f, mark(20, 10), true))
	f.Add(bomb())
	f.Add([]byte("<svg"))
	f.Fuzz(func(t *testing.T, b []byte) {
		logo, err := report.Logo(b)
		if err != nil && responsehub.KindOf(err) != responsehub.Invalid {
			t.Errorf("%v", err)
		}
		if _, kind, err2 := image.DecodeConfig(bytes.NewReader(logo)); err == nil && (err2 != nil || kind != "png") {
			t.Errorf("the logo became %q (%v)", kind, err2)
		}
	})
}
