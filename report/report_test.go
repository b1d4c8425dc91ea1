package report_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"responsehub"
	"responsehub/report"
)

var at = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

const (
	hostile = `<script>alert(1)</script>`
	formula = `=HYPERLINK("http://evil.example","x")`
)

var brand = report.Brand{Name: "Desk & Sons", Contact: "soc@desk.example"}

func incident() *responsehub.Incident {
	inc := responsehub.NewIncident("id", "RH-7K2M", at, "petra", &responsehub.Alert{
		ID: "a", Title: "Account takeover " + hostile, Summary: formula, Severity: responsehub.Critical, DetectedAt: at.Add(-time.Minute),
		Account:     responsehub.Account{UserPrincipalName: "pat@contoso.example", DisplayName: "Пат Müller 用户"},
		Evidence:    []responsehub.Evidence{{At: at, Text: formula + "\u202egnp.exe", IP: "203.0.113.7"}, {Text: strings.Repeat("x", 5000)}},
		Persistence: []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "r1", Name: "@SUM(1)"}},
	}, responsehub.TenantRef{ID: "contoso", Name: "Contoso"}, true)
	lock := inc.Step(responsehub.Lock)
	lock.State, lock.SentAt, lock.VerifiedAt = responsehub.Done, at.Add(time.Second), at.Add(2*time.Second)
	lock.Proof = &responsehub.Proof{Value: "accountEnabled=false", At: lock.VerifiedAt}
	inc.Sealed = map[string]responsehub.Sealed{"password": {Box: []byte("SEALED")}}
	return inc
}

func document() report.Document {
	return report.Incident(brand, incident(), []responsehub.Event{{At: at, By: responsehub.By{Name: "petra"}, Text: "Alert received " + hostile}}, at)
}

func TestHTMLHoldsNoMarkupOfStrangers(t *testing.T) {
	var b bytes.Buffer
	d := document()
	if err := d.HTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"RH-7K2M", "Desk &amp; Sons", "2.0 s", "2026-11-23 03:00:02 UTC", "verified", "Пат Müller 用户", "&lt;script&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{hostile, "\u202e", "SEALED", "http-equiv"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

// TestSheetsHoldNoFormula reads both sheets back with readers that are not ours.
func TestSheetsHoldNoFormula(t *testing.T) {
	d := document()
	var b bytes.Buffer
	if err := d.CSV(&b); err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(&b)
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, row := range rows {
		all = append(all, row...)
	}
	b.Reset()
	if err := d.XLSX(&b); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	for _, sheet := range book.GetSheetList() {
		rows, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for y, row := range rows {
			for x, cell := range row {
				name, _ := excelize.CoordinatesToCellName(x+1, y+1)
				if f, _ := book.GetCellFormula(sheet, name); f != "" {
					t.Errorf("%s %s is a formula: %s", sheet, name, f)
				}
				all = append(all, cell)
			}
		}
	}
	if !strings.Contains(strings.Join(all, "\n"), "HYPERLINK") {
		t.Error("the text was dropped instead of tamed")
	}
	for _, cell := range all {
		if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
			t.Errorf("a cell begins like a formula: %q", cell)
		}
	}
}

// TestPDFCanBeRead has it read by pdftotext.
func TestPDFCanBeRead(t *testing.T) {
	d := document()
	var b bytes.Buffer
	if err := d.PDF(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", file, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("pdftotext (of poppler-utils, see make deps): %v %s", err, out)
	}
	text := string(out)
	for _, want := range []string{"Incident RH-7K2M", "Desk & Sons", "Пат Müller ??", "Time to lock", "2.0 s", "verified"} {
		if !strings.Contains(text, want) {
			t.Errorf("the pages lack %q:\n%s", want, text)
		}
	}
	if !strings.Contains(text, "A question mark may stand for a letter") {
		t.Error("nothing says what a question mark is")
	}
	if strings.Contains(text, "SEALED") {
		t.Error("the pages hold a sealed password")
	}
}

func TestPeriod(t *testing.T) {
	second := incident()
	second.Ref, second.State, second.Step(responsehub.Lock).VerifiedAt = "RH-2222", responsehub.FalseAlarm, time.Time{}
	d := report.Period(brand, "Contoso", at.AddDate(0, -1, 0), at, []*responsehub.Incident{incident(), second}, at)
	got := map[string]string{}
	for _, row := range d.Sections[0].Table.Rows {
		got[row[0]] = row[1]
	}
	for name, want := range map[string]string{"Incidents": "2", "Still open": "1", "False alarms": "1", "Locked": "1", "Time to lock, median": "2.0 s"} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	for _, write := range []func(*bytes.Buffer) error{func(b *bytes.Buffer) error { return d.HTML(b) }, func(b *bytes.Buffer) error { return d.PDF(b) }, func(b *bytes.Buffer) error { return d.CSV(b) }, func(b *bytes.Buffer) error { return d.XLSX(b) }} {
		var b bytes.Buffer
		if err := write(&b); err != nil || b.Len() == 0 {
			t.Errorf("%d bytes (%v)", b.Len(), err)
		}
	}
}

// TestNamesInOtherLetters: what the font has is shown as it is, in Latin, Greek and
// Cyrillic, and a long title is on the page to its last word.
func TestNamesInOtherLetters(t *testing.T) {
	inc := incident()
	inc.Title = strings.Repeat("a title that goes on ", 20) + "to its end"
	inc.Account = responsehub.Account{UserPrincipalName: "a@b.example", DisplayName: "Ελένη Παπαδοπούλου Ольга Шевченко Łódź Žluťoučký Ærø naïve"}
	d := report.Incident(brand, inc, nil, at)
	text := strings.Join(strings.Fields(read(t, &d)), " ")
	for _, want := range []string{"Ελένη Παπαδοπούλου", "Ольга Шевченко", "Łódź", "Žluťoučký", "Ærø naïve", "to its end"} {
		if !strings.Contains(text, want) {
			t.Errorf("the pages lack %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "question mark") {
		t.Error("a letter is missing that the font should have")
	}
}

func TestAnEmptyPeriodSaysSo(t *testing.T) {
	d := report.Period(brand, "Contoso", at.AddDate(0, -1, 0), at, nil, at)
	if text := read(t, &d); !strings.Contains(text, "No incident was opened in this period.") {
		t.Errorf("the pages say:\n%s", text)
	}
	for _, form := range report.Forms {
		if f, err := d.File(form, "empty"); err != nil || len(f.Body) == 0 {
			t.Errorf("%s: %d bytes (%v)", form, len(f.Body), err)
		}
	}
}

// TestFiveThousandIncidents makes the largest report of a period in every form.
func TestFiveThousandIncidents(t *testing.T) {
	incs := make([]*responsehub.Incident, 5000)
	for i := range incs {
		incs[i] = incident()
	}
	incs[4999].Ref = "RH-LAST"
	d := report.Period(brand, "Contoso", at.AddDate(0, -1, 0), at, incs, at)
	for _, form := range report.Forms {
		begun := time.Now()
		f, err := d.File(form, "all")
		if err != nil || len(f.Body) > 4<<20 {
			t.Errorf("%s: %d bytes (%v)", form, len(f.Body), err)
		}
		t.Logf("%s: %d KB in %s", form, len(f.Body)>>10, time.Since(begun).Round(time.Millisecond))
	}
	if text := read(t, &d); strings.Count(text, "RH-7K2M") != 4999 || !strings.Contains(text, "RH-LAST") {
		t.Errorf("%d of them are on the pages", strings.Count(text, "RH-7K2M"))
	}
}

// read has a document's pages read by pdftotext.
func read(t *testing.T, d *report.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.PDF(&b); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "pdftotext", "-layout", "-", "-")
	cmd.Stdin = &b
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pdftotext (of poppler-utils, see make deps): %v", err)
	}
	return string(out)
}

// FuzzTame looks for a stranger's text that a spreadsheet would take for a formula.
func FuzzTame(f *testing.F) {
	for _, s := range []string{"=1+1", "\t=1", " +1", "\u00a0@SUM(1)", "＝1", "-2", "|x", "\u202e=1", "\r\n=1", "'=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		d := report.Document{Title: s}
		if err := d.CSV(&b); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) != 1 {
			t.Fatalf("%q became %d rows (%v)", s, len(rows), err)
		}
		if cell := strings.TrimSpace(rows[0][0]); cell != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(cell)[0]) {
			t.Errorf("%q became %q", s, cell)
		}
	})
}
