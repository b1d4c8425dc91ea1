package report

import (
	"embed"
	"encoding/base64"
	"html/template"
	"io"
)

//go:embed report.html
var files embed.FS

var page = template.Must(template.New("report.html").Funcs(template.FuncMap{
	"stamp": stamp, "clean": clean,
	"logo": func(png []byte) template.URL {
		return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png)) //nolint:gosec // base64 of our own
	},
}).ParseFS(files, "report.html"))

// HTML writes the document as one page that needs nothing else.
func (d *Document) HTML(w io.Writer) error { return page.Execute(w, d) }
