package mail

import (
	"strings"
	"testing"
)

func TestAlarm(t *testing.T) {
	one, two := Alarm("Hub <hub@desk.example>", "soc@desk.example", "Ann wrote STOP."), Alarm("hub@desk.example", "soc@desk.example", "Ann wrote STOP.")
	if one.MessageID == two.MessageID || !strings.HasSuffix(one.MessageID, "@desk.example") || !strings.HasSuffix(two.MessageID, "@desk.example") {
		t.Errorf("ids %q and %q", one.MessageID, two.MessageID)
	}
	want := "Ann wrote STOP.\n\nThis belongs to no incident. Whoever keeps the hub should see to it.\n"
	if one.Text != want || one.To != "soc@desk.example" || !one.Urgent || one.Subject != "responsehub: something needs the operators" {
		t.Errorf("%+v", one)
	}
}
