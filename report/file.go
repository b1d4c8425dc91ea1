package report

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// File is a document in a form.
type File struct {
	Type string // media type
	Name string // for saving
	Body []byte
}

// Forms are the forms a document can have.
var Forms = []string{"html", "pdf", "csv", "xlsx"}

var types = map[string]string{
	"html": "text/html; charset=utf-8", "pdf": "application/pdf", "csv": "text/csv; charset=utf-8",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// Types are the media types of the forms.
func Types() []string { return slices.Sorted(maps.Values(types)) }

// File returns the document in one of the [Forms]. name is for saving, without an ending.
func (d *Document) File(form, name string) (File, error) {
	write := map[string]func(io.Writer) error{"html": d.HTML, "pdf": d.PDF, "csv": d.CSV, "xlsx": d.XLSX}[form]
	if write == nil {
		return File{}, fmt.Errorf("report: there is no form %q", form)
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return File{}, err
	}
	return File{Type: types[form], Name: plain(name) + "." + form, Body: b.Bytes()}, nil
}

// plain keeps letters, digits, dots and dashes of a name.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, s)
}
