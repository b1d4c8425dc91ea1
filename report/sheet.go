package report

import (
	"encoding/csv"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"
)

// CSV writes the tables one after the other, each after its heading.
func (d *Document) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{d.Title, d.Subtitle}}
	for _, s := range d.Sections {
		rows = append(rows, nil, []string{s.Heading})
		for _, text := range s.Text {
			rows = append(rows, []string{text})
		}
		if s.Table != nil {
			if s.Table.Head[0] != "" {
				rows = append(rows, s.Table.Head)
			}
			rows = append(rows, s.Table.Rows...)
		}
	}
	for _, row := range rows {
		tamed := make([]string, len(row))
		for i, cell := range row {
			tamed[i] = tame(cell)
		}
		if err := out.Write(tamed); err != nil {
			return fmt.Errorf("report: write csv: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

// XLSX writes a workbook with a sheet for each section. Every cell is a text.
func (d *Document) XLSX(w io.Writer) error {
	f := excelize.NewFile()
	defer func() { _ = f.Close() }() // it was never a file
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return fmt.Errorf("report: xlsx: %w", err)
	}
	for i, s := range d.Sections {
		name := s.Heading // ours, short and without the characters that a sheet's name may not have
		if i == 0 {
			err = f.SetSheetName("Sheet1", name)
		} else {
			_, err = f.NewSheet(name)
		}
		if err != nil {
			return fmt.Errorf("report: xlsx: %w", err)
		}
		row := 0
		put := func(cells []string, style int) error {
			row++
			for c, text := range cells {
				at, err := excelize.CoordinatesToCellName(c+1, row)
				if err == nil {
					err = f.SetCellStr(name, at, tame(text))
				}
				if err == nil && style != 0 {
					err = f.SetCellStyle(name, at, at, style)
				}
				if err != nil {
					return fmt.Errorf("report: xlsx: %w", err)
				}
			}
			return nil
		}
		if i == 0 {
			if err := put([]string{d.Title, d.Subtitle}, bold); err != nil {
				return err
			}
		}
		for _, text := range s.Text {
			if err := put([]string{text}, 0); err != nil {
				return err
			}
		}
		if s.Table == nil {
			continue
		}
		if err := put(s.Table.Head, bold); err != nil {
			return err
		}
		for _, cells := range s.Table.Rows {
			if err := put(cells, 0); err != nil {
				return err
			}
		}
		if err := f.SetColWidth(name, "A", "H", 28); err != nil {
			return fmt.Errorf("report: xlsx: %w", err)
		}
	}
	if _, err := f.WriteTo(w); err != nil {
		return fmt.Errorf("report: write xlsx: %w", err)
	}
	return nil
}
