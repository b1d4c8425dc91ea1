package console_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/console"
	"responsehub/oncall"
	"responsehub/ticket"
)

// outside stands in for what a page asks beyond the engine and the directory.
type outside struct{}

func (outside) Map(source string, sample []byte) (*responsehub.Alert, error) {
	if !strings.HasPrefix(string(sample), "{") {
		return nil, &responsehub.Error{Kind: responsehub.Invalid, Message: "The account is missing.", Pointer: "/account/user_principal_name"}
	}
	return &responsehub.Alert{ID: "mapped-by-" + source, Title: string(sample)}, nil
}

func (outside) Preview(t responsehub.Tenant, _ time.Time, _ responsehub.Severity) oncall.Preview {
	return oncall.Preview{Tenant: t.Ref(), Lines: []oncall.Planned{{After: "3m0s", Name: "Bob", Phone: "+1 ... 0006", Ways: []responsehub.Way{responsehub.ByCall, responsehub.ByText}}}}
}

func (outside) Companies(_ context.Context, connection, text string) ([]ticket.Company, error) {
	switch {
	case connection != "cw":
		return nil, &responsehub.Error{Kind: responsehub.Unavailable, Message: "ConnectWise does not answer."}
	case text == "con":
		return []ticket.Company{{ID: "250", Name: "Contoso & Sons " + hostile}}, nil
	}
	return nil, nil
}

func (outside) config(cfg *console.Config) {
	cfg.Sources = []console.Source{{Name: "petra", Kind: "standard-webhooks"}, {Name: "custom", Kind: "header", Maps: true}}
	cfg.Mapper, cfg.OnCall, cfg.Companies, cfg.Desks = outside{}, outside{}, outside{}, []string{"cw", "other"}
}

func TestAMessageIsTriedOnTheSourcesPage(t *testing.T) {
	h := start(t)
	h.open(t)
	b := h.in(t, adminKey)
	_, page, _ := h.get(t, b, "/sources")
	for _, want := range []string{"petra", "custom", "its own, mapped", "none lately", "<time datetime"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	_, page, _ = h.post(t, b, "/sources", url.Values{"source": {"custom"}, "sample": {"[1]"}})
	if !strings.Contains(page, "The account is missing.") || !strings.Contains(page, "/account/user_principal_name") || !strings.Contains(page, "[1]</textarea>") {
		t.Errorf("the fault, its place and the sample are not all there: %.3000s", page)
	}
	_, page, _ = h.post(t, b, "/sources", url.Values{"source": {"custom"}, "sample": {`{"t":"` + hostile + `"}`}})
	if !strings.Contains(page, "mapped-by-custom") || strings.Contains(page, hostile) {
		t.Errorf("the alert is not shown, or not as text: %.3000s", page)
	}
	if status, _, _ := h.post(t, b, "/sources", url.Values{"source": {"nobody"}, "sample": {"{}"}}); status != http.StatusNotFound {
		t.Errorf("a source that is none: %d", status)
	}
	guest := h.in(t, guestKey)
	if status, _, _ := h.get(t, guest, "/sources"); status != http.StatusForbidden {
		t.Errorf("a guest reads the sources: %d", status)
	}
	if status, _, _ := h.post(t, guest, "/sources", url.Values{"source": {"custom"}, "sample": {"{}"}}); status != http.StatusForbidden {
		t.Errorf("a guest tries a message: %d", status)
	}
}

func TestATenantsPageSaysWhoIsCalledAndFindsTheCompany(t *testing.T) {
	h := start(t)
	b := h.in(t, adminKey)
	if _, page, _ := h.get(t, b, "/tenants/contoso"); strings.Contains(page, "Who is called when") {
		t.Error("a tenant without a sequence has a plan of calls")
	}
	h.post(t, b, "/tenants/contoso/settings/told", url.Values{"person": {"bob"}, "wait": {"180"}, "rounds": {"3"}})
	_, page, _ := h.get(t, b, "/tenants/contoso")
	for _, want := range []string{"Who is called when", "after 3 min 0 s", "&#43;1 ... 0006", "call and text"} {
		if !strings.Contains(page, want) {
			t.Errorf("the plan does not say %q", want)
		}
	}
	_, page, _ = h.get(t, b, "/tenants/contoso?find-at=cw&find=con")
	if !strings.Contains(page, `<option value="Contoso &amp; Sons &lt;script`) || !strings.Contains(page, `name="company" value="Contoso &amp; Sons`) {
		t.Errorf("the company is not there to pick: %.3000s", page)
	}
	if _, page, _ = h.get(t, b, "/tenants/contoso?find-at=cw&find=nobody"); !strings.Contains(page, "No company of that name.") {
		t.Error("a search without a find says nothing")
	}
	if _, page, _ = h.get(t, b, "/tenants/contoso?find-at=other&find=con"); !strings.Contains(page, "ConnectWise does not answer.") {
		t.Error("a ticket system that is away is not named")
	}
	h.post(t, b, "/tenants/contoso/settings/company", url.Values{"desk": {"cw"}, "company": {"Contoso & Sons"}})
	got, _ := h.dir.Tenant("contoso")
	if len(got.Notify.PSA) != 1 || got.Notify.PSA[0] != (responsehub.Desk{Connection: "cw", Company: "Contoso & Sons"}) {
		t.Errorf("kept %+v", got.Notify.PSA)
	}
	if got.Notify.Phone == nil {
		t.Error("picking a company took the sequence away")
	}
	h.post(t, b, "/tenants/contoso/settings/told", url.Values{"desk": {"cw", "", "other"}, "company": {"Contoso & Sons", "nobody", " CON "}, "close": {"2"}, "wait": {"180"}, "rounds": {"3"}})
	want := responsehub.Desks{{Connection: "cw", Company: "Contoso & Sons"}, {Connection: "other", Company: "CON", CloseOnTicketClose: true}}
	if got, _ = h.dir.Tenant("contoso"); !slices.Equal(got.Notify.PSA, want) {
		t.Errorf("two ticket systems are kept as %+v", got.Notify.PSA)
	}
	_, page, _ = h.get(t, b, "/tenants/contoso")
	for _, want := range []string{`name="company" value="Contoso &amp; Sons"`, `name="company" value="CON"`, `<option selected>other</option>`, `name="close" value="1" checked`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of two ticket systems has no %q", want)
		}
	}
	h.post(t, b, "/tenants/contoso/settings/company", url.Values{"desk": {"other"}, "company": {"Contoso"}})
	if got, _ = h.dir.Tenant("contoso"); len(got.Notify.PSA) != 2 || got.Notify.PSA[1] != (responsehub.Desk{Connection: "other", Company: "Contoso", CloseOnTicketClose: true}) || got.Notify.PSA[0] != want[0] {
		t.Errorf("another company of the second is kept as %+v", got.Notify.PSA)
	}
	h.post(t, b, "/tenants/contoso/settings/told", url.Values{"desk": {"cw", "cw"}, "company": {"A", "B"}, "wait": {"180"}, "rounds": {"3"}})
	if got, _ = h.dir.Tenant("contoso"); len(got.Notify.PSA) != 2 || got.Notify.PSA[1].Connection != "other" {
		t.Errorf("one ticket system twice is kept: %+v", got.Notify.PSA)
	}
}

func TestThePageSaysByNameWhoWasToldAndWhen(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	err := h.engine.Amend(t.Context(), inc.ID, func(inc *responsehub.Incident) error {
		inc.Mails = map[string]responsehub.MailRef{"soc@contoso.example": {Sent: 1, At: at.Add(3 * time.Minute)}, "x@contoso.example": {Failure: "There is no such mailbox.", At: at.Add(4 * time.Minute)}}
		inc.Page = &responsehub.Page{Attempts: []responsehub.Attempt{{ID: "s", Person: "bob", Way: responsehub.ByCall, State: responsehub.AttemptVoicemail, At: at.Add(2 * time.Minute)}}}
		inc.Cards = map[string]responsehub.CardRef{"19:a@thread.tacv2": {Activity: "1", DrawnAt: at}}
		inc.Step(responsehub.Retract).Progress = &responsehub.Progress{Mailboxes: 3, Searched: 3, Found: 2}
		inc.Record(responsehub.Event{At: at, Kind: responsehub.EventNoticeSent, By: responsehub.Hub.By(), Text: "told"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b := h.in(t, adminKey)
	_, page, _ := h.get(t, b, "/incidents/"+inc.ID)
	last := 0
	for _, want := range []string{"card posted", "Call to Bob: voicemail", "Mail to soc@contoso.example: 1 mail taken by the server", `class="reason">Mail to x@contoso.example: There is no such mailbox.`, "Alert received", "/letters"} {
		i := strings.Index(page, want)
		if want != "/letters" && i < last {
			t.Errorf("%q stands at %d, not after what was before it", want, i)
		}
		if last = max(last, i); i < 0 {
			t.Errorf("the page does not say %q", want)
		}
	}
	if status, page, _ := h.get(t, b, "/incidents/"+inc.ID+"/letters"); status != http.StatusOK || !strings.Contains(page, "Messages that the retraction found") {
		t.Errorf("letters: %d", status)
	}
	if status, _, _ := h.get(t, h.in(t, guestKey), "/incidents/"+inc.ID+"/letters"); status != http.StatusNotFound && status != http.StatusForbidden {
		t.Errorf("a guest of another tenant reads the letters: %d", status)
	}
}
