package mail

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestReport(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 41, 0, 0, time.UTC)
	d := open(t, contoso, "soc@example.com")
	d.inc.ReceivedAt = at
	d.inc.AddTodo("x", "Reset the password in on-premises AD.")
	lock := d.inc.Step(responsehub.Lock)
	lock.State, lock.VerifiedAt, lock.RequestedBy = responsehub.Done, at.Add(time.Second), responsehub.By{Name: "Ann"}
	d.step(responsehub.Persistence, responsehub.NeedsHuman, "Two rules have to be judged.")
	plain, page, err := reportOf(d.inc, newsOf(d.inc), "https://hub.example.com/").write()
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"report.golden.txt": plain, "report.golden.html": page} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// FuzzReport: whatever a detector or attacker writes, the mail is bounded, the page has
// our elements only, nothing in it is fetched from elsewhere, and no secret is in it.
func FuzzReport(f *testing.F) {
	f.Add("takeover", "pat@contoso.example", "https://detector.example/1", "text")
	f.Add("<script>alert(1)</script>", "a\r\nBcc: x@y", "javascript:alert(1)", "<img src=https://evil.example/x.png>{{.Link}}")
	f.Add("\" onmouseover=x", "日本語@ü.example", "https://a.example/\"><b>", strings.Repeat("w", 64<<10))
	f.Fuzz(func(t *testing.T, title, user, link, words string) {
		d := open(t, contoso, "soc@example.com")
		d.inc.Title, d.inc.Account.UserPrincipalName, d.inc.Link, d.inc.Summary = title, user, link, words
		d.inc.Sealed = map[string]responsehub.Sealed{"password": {Box: []byte("sealed-secret"), For: "person:secretreader"}}
		for range responsehub.MaxEvidence {
			d.inc.Evidence = append(d.inc.Evidence, responsehub.Evidence{Text: words, IP: title, Country: user})
		}
		d.step(responsehub.Lock, responsehub.NeedsHuman, words)
		plain, page, err := reportOf(d.inc, newsOf(d.inc), "https://hub.example.com").write()
		if err != nil {
			t.Fatal(err)
		}
		if len(plain) > 150<<10 || len(page) > 900<<10 {
			t.Errorf("the mail has %d and %d bytes", len(plain), len(page))
		}
		for _, s := range []string{plain, page} {
			if strings.Contains(s, "sealed-secret") || strings.Contains(s, "secretreader") {
				t.Error("the mail holds what is sealed")
			}
		}
		for _, answer := range []bool{false, true} {
			if s := subject(d.inc, answer); strings.ContainsAny(s, "\r\n\x00") || len([]rune(s)) > 200 {
				t.Errorf("the subject is %q", s)
			}
		}
		checkPage(t, page)
	})
}

var elements = map[string]string{
	"html": "lang", "head": "", "meta": "charset name content", "title": "", "body": "style", "div": "style", "p": "style", "a": "href style", "h1": "style", "h2": "style",
	"table": "role cellpadding cellspacing style", "tbody": "", "tr": "", "td": "style", "ul": "style", "li": "",
}

func checkPage(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		el, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attributes, known := elements[el.Name.Local]
		if !known {
			t.Errorf("the page has an element %s", el.Name.Local)
		}
		for _, a := range el.Attr {
			if !strings.Contains(" "+attributes+" ", " "+a.Name.Local+" ") || strings.Contains(a.Value, "url(") {
				t.Errorf("%s has %s=%q", el.Name.Local, a.Name.Local, a.Value)
			}
			if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "https://") {
				t.Errorf("a link goes to %q", a.Value)
			}
		}
	}
}
