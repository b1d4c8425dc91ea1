package sim

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// ask does a request to the Twilio of a world as its hub would.
func ask(t *testing.T, w *World, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL()+"/twilio/2010-04-01/Accounts/"+TwilioAccount+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(TwilioKey, w.secrets.twilioSecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, out
}

// within waits until something has come about.
func within(t *testing.T, what string, come func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !come(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not after 10 s: %s", what)
		}
	}
}

func TestAPhoneRingsAndAKeyIsPressed(t *testing.T) {
	t.Parallel()
	pressed := make(chan string, 4)
	h := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Header.Get("X-Twilio-Signature") == "" {
			t.Errorf("%s: %v, signed %q", r.URL.Path, err, r.Header.Get("X-Twilio-Signature"))
		}
		switch r.URL.Path {
		case "/twilio/voice/1":
			rw.Header().Set("Content-Type", "text/xml")
			io.WriteString(rw, `<Response><Gather numDigits="1" action="/twilio/gather/1"><Say>RH-7K2M. Press 4.</Say></Gather></Response>`)
		case "/twilio/gather/1", "/twilio/sms":
			pressed <- r.PostForm.Get("Digits") + r.PostForm.Get("Body")
			rw.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(h.Close)
	dir := t.TempDir()
	w := startIn(t, dir, &hub{Server: h}, func(o *Options) { o.PhoneSpeed = 20 })
	status, answer := ask(t, w, "/Calls.json", url.Values{"To": {Numbers["ann"]}, "From": {HubNumber}, "Url": {h.URL + "/twilio/voice/1"}, "Timeout": {"600"}})
	if status != 201 || answer["status"] != "queued" {
		t.Fatalf("%d %v", status, answer)
	}
	if raw, err := os.ReadFile(w.path()); err != nil || !strings.Contains(string(raw), answer["sid"].(string)) {
		t.Errorf("told that the call is queued, and it is not kept (%v)", err)
	}
	within(t, "the phone rings", func() bool { return w.Snapshot().Twilio.Phones[0].Call != "" })
	for _, act := range []string{`{"do":"answer","person":"ann"}`, `{"do":"press","person":"ann","value":"4"}`} {
		within(t, act, func() bool { status, _ := call(t, "POST", w.URL()+"/_act", act); return status == 200 })
	}
	if got := <-pressed; got != "4" {
		t.Errorf("the hub heard %q", got)
	}
	within(t, "the call is over", func() bool { return w.Snapshot().Twilio.Calls[0].Status == "completed" })
	if status, answer := call(t, "POST", w.URL()+"/_act", `{"do":"text","person":"ann","text":"ack 4821"}`); status != 200 || <-pressed != "ack 4821" {
		t.Errorf("text: %d %s", status, answer)
	}
	for _, act := range []string{`{"do":"hang_up","person":"ann"}`, `{"do":"press","person":"ann","value":"x"}`, `{"do":"script","person":"ann","value":"sings"}`, `{"do":"text","person":"nobody","text":"x"}`} {
		if status, _ := call(t, "POST", w.URL()+"/_act", act); status != 409 {
			t.Errorf("%s: %d", act, status)
		}
	}
	if status, _ := call(t, "POST", w.URL()+"/_act", `{"do":"script","person":"bob","value":"voicemail"}`); status != 200 {
		t.Errorf("script: %d", status)
	}
	ask(t, w, "/Calls.json", url.Values{"To": {Numbers["ann"]}, "From": {HubNumber}, "Url": {h.URL + "/twilio/voice/1"}, "Timeout": {"600"}})
	within(t, "the phone rings again", func() bool { return w.Snapshot().Twilio.Phones[0].Call != "" })
	time.Sleep(saveEvery + 200*time.Millisecond)
	w2 := startIn(t, killed(t, dir), &hub{Server: h}, func(o *Options) { o.PhoneSpeed = 20 })
	within(t, "it rings on after a kill", func() bool { return w2.Snapshot().Twilio.Phones[0].Call != "" })
	if st := w2.Snapshot().Twilio; len(st.Calls) != 2 || st.Calls[0].Pressed != "4" || st.Phones[1].Script != "voicemail" {
		t.Errorf("restored %+v", st)
	}
}

func TestMailArrives(t *testing.T) {
	t.Parallel()
	w := startIn(t, t.TempDir(), newHub(t), nil)
	ca, err := os.ReadFile(w.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	trust := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	plain, secure := w.MailAddress()
	for i, dial := range []func() (*smtp.Client, error){
		func() (*smtp.Client, error) { return smtp.DialStartTLS(plain, trust) }, func() (*smtp.Client, error) { return smtp.DialTLS(secure, trust) },
	} {
		c, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Auth(sasl.NewPlainClient("", mailUser, w.secrets.mail)); err != nil {
			t.Fatal(err)
		}
		err = c.SendMail(HubMail, []string{"ann@desk.example"}, strings.NewReader("From: hub@desk.example\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\nMessage-ID: <x@y.example>\r\n\r\nRH-7K2M is locked.\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		if raw, err := os.ReadFile(w.path()); err != nil || strings.Count(string(raw), "RH-7K2M is locked.") != i+1 {
			t.Errorf("told that the mail is taken, and it is not kept (%v)", err)
		}
		c.Close()
	}
	if got := w.Snapshot().Mail.To("ann@desk.example"); len(got) != 2 || !got[0].TLS {
		t.Errorf("mails %+v", got)
	}
}
