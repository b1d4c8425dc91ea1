package oncall

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

var update = flag.Bool("update", false, "write what the tests compare with")

func incident(tenant string, response bool) *responsehub.Incident {
	return &responsehub.Incident{Ref: "RH-7K2M", Response: response, State: responsehub.Active, Severity: responsehub.Critical, Tenant: responsehub.TenantRef{Name: tenant}}
}

// TestEverySentence holds what is said and sent to a file that people read.
func TestEverySentence(t *testing.T) {
	inc := incident("Contoso", false)
	at := time.Date(2026, 1, 5, 3, 0, 8, 0, time.UTC)
	bob := responsehub.By{ID: "person:bob", Name: "Bob"}
	taken := incident("Contoso", false)
	taken.Acknowledged = &responsehub.Acknowledgement{By: bob, At: at}
	false1 := incident("Contoso", false)
	false1.State = responsehub.FalseAlarm
	closed := incident("Contoso", false)
	closed.State = responsehub.Remediated
	many := []*responsehub.Incident{inc, incident("Fabrikam", false), incident("Tailspin Toys", false), incident("Wingtip", false), incident("Wingtip", false)}
	codes := map[string]string{}
	for i, m := range many {
		m.ID = fmt.Sprint(i)
		m.Ref = fmt.Sprintf("RH-7K2%d", i)
		codes[m.ID] = fmt.Sprintf("482%d", i)
	}
	var b strings.Builder
	say := func(name string, lines ...string) { fmt.Fprintf(&b, "%s\n  %s\n", name, strings.Join(lines, "\n  ")) }
	say("text, response off", pageText(inc, "4821"))
	say("text, response on", pageText(incident("Contoso", true), "4821"))
	say("text, long name", pageText(incident(strings.Repeat("Müller & Söhne Żółć 株式会社 ", 6), false), "4821"))
	say("text, several open", severalText(inc, "4820", many[1:2], codes, "9155"), severalText(inc, "4820", many[1:], codes, "9155"),
		severalText(incident(strings.Repeat("Müller & Söhne ", 9), false), "4820", many[1:], codes, "9155"))
	say("told: somebody has it", tellText(taken))
	say("told: false alarm", tellText(false1))
	say("told: closed", tellText(closed))
	say("told: not needed", tellText(inc))
	say("shared", shareText(incident("Contoso", true)))
	say("call, one", spokenPage(many[:1])...)
	say("call, several", spokenPage(many)...)
	say("call, one by one", spokenList(many)...)
	say("keys", sayWrongKey, sayNothing, sayPassed, sayNotYours, sayRemoved, sayNotStored, sayOver, sayTaken(1), sayTaken(3))
	say("called in", append(sayOpen(many), sayNoIncident, sayUnknown)...)
	say("replies", replyTaken(inc), replyFirst(inc, bob, at, "person:ann"), replyFirst(inc, bob, at, "person:bob"), replyPassed(inc), replyClosed(closed), replyClosed(false1), replyClosed(inc),
		replyWhich(many, codes, true), replyWhich(many[:2], codes, false), replyAll(false, 3, 3), replyAll(false, 2, 3), replyAll(true, 3, 3), replyAll(false, 0, 3), replyHelp, replyNothing, replyOn, replyWrong, replyUnknown, replyWhoseNot)
	say("operators", stopWords("Ann", "+1500***0101"), startWords("Ann", "+1500***0101"), guessedWords("Ann", "+1500***0101"), wrongNumberWords("Ann", "+1500***0101"),
		faultWords(BadNumber, "Ann", "+1500***0101"), faultWords(Filtered, "Ann", "+1500***0101"), faultWords(BadAccount, "", ""), faultWords(OurFault, "", ""))
	since := time.Now().Add(-330 * time.Second)
	say("somebody was first", sayFirst(inc, bob, since, "person:ann"), sayFirst(inc, bob, since, "person:bob"), ago(90*time.Second))
	var ends []string
	for _, s := range slices.Sorted(slices.Values(responsehub.AttemptStates)) {
		if !s.Over() {
			continue
		}
		ends = append(ends, attemptSentence(&responsehub.Attempt{Way: responsehub.ByCall, State: s, Reason: "a reason."}, "Ann"), attemptSentence(&responsehub.Attempt{Way: responsehub.ByText, State: s}, "Ann"))
	}
	say("in the record", ends...)
	const name = "testdata/sentences.golden"
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
	for _, s := range []string{
		pageText(inc, "4821"), pageText(incident(strings.Repeat("€{}", 60), true), "4821"), tellText(taken), shareText(inc), replyTaken(inc), replyFirst(inc, bob, at, "x"), replyPassed(inc),
		severalText(incident(strings.Repeat("€{}", 60), true), "4820", many[1:], codes, "9155"), replyAll(false, 200, 300), replyAll(true, 300, 300), replyAll(false, 300, 300), replyAll(false, 0, 300),
		replyWhich(many, codes, true), replyHelp, replyNothing, replyOn, replyWrong, replyUnknown, replyWhoseNot,
	} {
		if n := septets(s); n > segment || gsm(s) != s {
			t.Errorf("%d places, or not GSM-7: %q", n, s)
		}
	}
}

func FuzzTexts(f *testing.F) {
	for _, s := range []string{"Contoso", "株式会社", "{[€]}", strings.Repeat("é", 300), "a\nb\x00", "\xff"} {
		f.Add(s, "4821")
	}
	f.Fuzz(func(t *testing.T, tenant, code string) {
		if !isCode(code) {
			code = "4821"
		}
		inc := incident(tenant, len(tenant)%2 == 0)
		for _, s := range []string{pageText(inc, code), tellText(inc), shareText(inc), replyTaken(inc), replyClosed(inc)} {
			if septets(s) > segment || gsm(s) != s || !utf8.ValidString(s) {
				t.Errorf("%q", s)
			}
		}
		others := []*responsehub.Incident{incident("a", false), incident("b", false), incident("c", false)}
		if s := severalText(inc, code, others, map[string]string{"": "1111"}, "9155"); septets(s) > segment || gsm(s) != s || !strings.Contains(s, "code "+code) || !strings.Contains(s, " 9155 to take all 4") {
			t.Errorf("%q", s)
		}
		if s := pageText(inc, code); !strings.Contains(s, "code "+code) {
			t.Errorf("the code is cut off: %q", s)
		}
	})
}

func TestParse(t *testing.T) {
	for body, want := range map[string]command{
		"4821": {verbAck, "4821"}, " 4821. ": {verbAck, "4821"}, "“4821”": {verbAck, "4821"}, "ack 4821": {verbAck, "4821"}, "4821 ACK!": {verbAck, "4821"},
		"code 4821": {verbAck, "4821"}, "Code: 4821": {verbAck, "4821"}, "ack": {verbAck, ""}, "Acknowledged": {verbAck, ""}, "٤٨٢١": {verbAck, "4821"}, "４８２１": {verbAck, "4821"},
		"next": {verbNext, ""}, "Next 4821": {verbNext, "4821"}, "4821 next": {verbNext, "4821"}, "status?": {verbStatus, ""}, "HELP": {verbHelp, ""}, "info": {verbHelp, ""},
		"stop": {verbStop, ""}, " STOP. ": {verbStop, ""}, "Stop all": {verbStop, ""}, "unsubscribe": {verbStop, ""}, "END": {verbStop, ""}, "quit": {verbStop, ""}, "revoke": {verbStop, ""}, "OptOut": {verbStop, ""}, "cancel": {verbStop, ""},
		"start": {verbStart, ""}, "unstop": {verbStart, ""}, "YES": {verbStart, ""}, "wrong number": {verbWrong, ""}, "Who is this?": {verbWrong, ""},
		"": {}, "...": {}, "code": {}, "48211": {}, "482": {}, "4821 4822": {}, "don't ack 4821": {}, "not 4821": {}, "stop 4821": {}, "I will call back": {}, "👍": {},
	} {
		if got := parse(body); got != want {
			t.Errorf("%q is %+v, want %+v", body, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"ack 4821", "STOP", "٤٨٢١", "\xff\xfe", strings.Repeat("1", 2000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c := parse(body)
		if c.code != "" && !isCode(c.code) || c.verb == verbNone && c.code != "" {
			t.Errorf("%q is %+v", body, c)
		}
	})
}
