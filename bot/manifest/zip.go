package manifest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"time"
)

const (
	manifestFile = "manifest.json"
	colorFile    = "color.png"
	outlineFile  = "outline.png"
)

// made is the time of all files: a package says nothing of when it was made, so that the
// same app gives the same bytes. It is the first time that a zip can hold.
var made = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Zip returns the package to upload: the manifest and the icons at its top level, as
// Teams wants them.
func (a App) Zip() ([]byte, error) {
	doc, err := a.Manifest()
	if err != nil {
		return nil, err
	}
	big, err := ColorIcon()
	if err != nil {
		return nil, err
	}
	small, err := OutlineIcon()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []struct {
		name    string
		content []byte
	}{{manifestFile, doc}, {colorFile, big}, {outlineFile, small}} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: made})
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack the app: %w", err)
	}
	return b.Bytes(), nil
}
