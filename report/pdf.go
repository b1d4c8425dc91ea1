package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/col"
	"github.com/johnfercher/maroto/v2/pkg/components/image"
	"github.com/johnfercher/maroto/v2/pkg/components/text"
	"github.com/johnfercher/maroto/v2/pkg/config"
	"github.com/johnfercher/maroto/v2/pkg/consts/breakline"
	"github.com/johnfercher/maroto/v2/pkg/consts/extension"
	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/props"
	"github.com/johnfercher/maroto/v2/pkg/repository"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

const family = "go"

// PDF writes the document as pages of A4.
func (d *Document) PDF(w io.Writer) error {
	p, err := newPrinter(d)
	if err != nil {
		return err
	}
	if d.Brand.Logo != nil {
		p.m.AddRow(18, image.NewFromBytesCol(12, d.Brand.Logo, extension.Png, props.Rect{Percent: 90}))
	}
	p.line(d.Brand.Name, 11, true)
	p.line(d.Brand.Contact, 9, false)
	p.line(d.Title, 16, true)
	p.line(d.Subtitle+". Made "+stamp(d.Made)+".", 9, false)
	for _, s := range d.Sections {
		p.space()
		p.line(s.Heading, 12, true)
		for _, t := range s.Text {
			p.line(t, 9, false)
		}
		if s.Table != nil {
			p.table(s.Table)
		}
	}
	if p.lost {
		p.space()
		p.line(lostLetters, 8, false)
	}
	doc, err := p.m.Generate()
	if err != nil {
		return fmt.Errorf("report: make pdf: %w", err)
	}
	if _, err := w.Write(doc.GetBytes()); err != nil {
		return fmt.Errorf("report: write pdf: %w", err)
	}
	return nil
}

// printer lays the document out.
type printer struct {
	m    core.Maroto
	font *sfnt.Font
	buf  sfnt.Buffer
	lost bool // something was shown as a question mark
}

func newPrinter(d *Document) (*printer, error) {
	fonts, err := repository.New().
		AddUTF8FontFromBytes(family, fontstyle.Normal, goregular.TTF).AddUTF8FontFromBytes(family, fontstyle.Bold, gobold.TTF).
		AddUTF8FontFromBytes(family, fontstyle.Italic, goregular.TTF).AddUTF8FontFromBytes(family, fontstyle.BoldItalic, gobold.TTF).Load()
	if err != nil {
		return nil, fmt.Errorf("report: load fonts: %w", err)
	}
	font, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("report: read font: %w", err)
	}
	p := &printer{font: font}
	p.m = maroto.New(config.NewBuilder().
		WithCustomFonts(fonts).WithDefaultFont(&props.Font{Family: family}).
		WithLeftMargin(15).WithRightMargin(15).WithTopMargin(15).WithBottomMargin(15).
		WithPageNumber(props.PageNumber{Pattern: "{current} / {total}", Place: props.RightBottom, Family: family, Size: 8}).
		WithCompression(true).WithTitle(p.known(d.Title), true).WithAuthor(p.known(d.Brand.Name), true).WithCreationDate(d.Made).Build())
	return p, nil
}

// known puts a question mark for what the font has no picture of: otherwise a name in
// other letters would be blank, and nobody would see that something is missing.
func (p *printer) known(s string) string {
	return strings.Map(func(r rune) rune {
		if i, err := p.font.GlyphIndex(&p.buf, r); err != nil || i == 0 {
			p.lost = true
			return '?'
		}
		return r
	}, clean(s))
}

func (p *printer) style(size float64, bold bool) props.Text {
	t := props.Text{Size: size, Family: family, Top: 1, Bottom: 1, Right: 2, BreakLineStrategy: breakline.EmptySpaceStrategy}
	if bold {
		t.Style = fontstyle.Bold
	}
	return t
}

func (p *printer) line(s string, size float64, bold bool) {
	if s = p.known(s); s != "" {
		p.m.AddAutoRow(text.NewCol(12, s, p.style(size, bold)))
	}
}

func (p *printer) space() { p.m.AddRow(4, col.New(12)) }

// widths of the columns of a table, in twelfths, by how many there are.
var widths = map[int][]int{2: {3, 9}, 3: {3, 2, 7}, 6: {2, 2, 2, 2, 2, 2}, 8: {1, 2, 2, 1, 1, 2, 1, 2}}

func (p *printer) table(t *Table) {
	w, ok := widths[len(t.Head)]
	if t.Head[0] == stage {
		w = []int{4, 4, 4} // a time in the middle
	}
	if !ok {
		return
	}
	row := func(cells []string, bold bool) {
		cols := make([]core.Col, len(cells))
		for i, c := range cells {
			cols[i] = text.NewCol(w[i], broken(p.known(c), 9*w[i]), p.style(8, bold))
		}
		p.m.AddAutoRow(cols...)
	}
	if t.Head[0] != "" {
		row(t.Head, true)
	}
	for _, cells := range t.Rows {
		row(cells, false)
	}
}

// broken puts spaces into words that are longer than a column is wide, in letters.
func broken(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; r == ' ' {
			n = 0
		} else if n > most {
			b.WriteByte(' ')
			n = 1
		}
		b.WriteRune(r)
	}
	return b.String()
}
