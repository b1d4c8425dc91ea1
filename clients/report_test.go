package clients_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"responsehub"
	"responsehub/report"
)

// TestWorkbook has a report's XLSX opened by a reader that is not the one that wrote it.
func TestWorkbook(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	inc := responsehub.NewIncident("id", "RH-7K2M", at, "petra", &responsehub.Alert{
		ID: "a", Title: `=HYPERLINK("http://evil.example")`, Severity: responsehub.High, DetectedAt: at, Account: responsehub.Account{UserPrincipalName: "pat@contoso.example", DisplayName: "Пат"},
	}, responsehub.TenantRef{ID: "contoso", Name: "Contoso"}, true)
	d := report.Incident(report.Brand{Name: "Desk"}, inc, []responsehub.Event{{At: at, Text: "+1+1"}}, at)
	f, err := d.File("xlsx", "RH-7K2M")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), f.Name)
	if err := os.WriteFile(file, f.Body, 0o600); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Sheets   map[string][]string
		Formulas []string
	}
	ask(t, 30*time.Second, "xlsx.cjs", map[string]string{"file": file}, &got)
	if len(got.Formulas) > 0 {
		t.Errorf("formulas or links at %v", got.Formulas)
	}
	for sheet, want := range map[string]string{
		"Summary": `'=HYPERLINK("http://evil.example")`, "Time to lock": "Alert received", "What was done": "Revoke sessions and lock account", "Timeline": "'+1+1",
	} {
		if !slices.Contains(got.Sheets[sheet], want) {
			t.Errorf("the sheet %q lacks %q: %q", sheet, want, got.Sheets[sheet])
		}
	}
	if !slices.Contains(got.Sheets["Summary"], "Пат (pat@contoso.example)") {
		t.Errorf("other letters are lost: %q", got.Sheets["Summary"])
	}
}
