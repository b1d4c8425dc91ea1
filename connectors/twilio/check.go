package twilio

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"responsehub"
	"responsehub/connectors/transport"
)

// Check says whether calls and texts could go out and whether Twilio could reach the hub.
// It places nothing.
func (c *Client) Check(ctx context.Context) []responsehub.Check {
	account := c.checkAccount(ctx)
	checks := []responsehub.Check{account}
	if account.Grade != responsehub.CheckMissing {
		checks = append(checks, c.checkNumber(ctx)...)
	}
	return append(checks, c.checkAddress())
}

func (c *Client) checkAccount(ctx context.Context) responsehub.Check {
	ctx, answer := transport.Capture(ctx)
	account, err := c.api(ctx).FetchAccount(c.cfg.AccountSID)
	check := responsehub.Check{Name: "twilio account", Grade: responsehub.CheckMissing}
	switch {
	case err != nil && (answer.Status == 401 || answer.Status == 403):
		// A restricted key may call and text, and not read the account.
		if answer.Status == 403 {
			check.Grade, check.Sentence = responsehub.CheckUnknown, "The API key may not read the account, so whether it may call and text was not found out."
			break
		}
		check.Sentence = "Twilio refuses the API key: check twilio.account_sid, twilio.api_key and twilio.api_secret."
	case err != nil:
		check.Sentence = responsehub.Sentence(read(answer, err, "Twilio's account could not be read"))
	case text(account.Status) != "active":
		check.Sentence = fmt.Sprintf("The Twilio account is %.20s: nobody can be called. See https://console.twilio.com.", text(account.Status))
	case strings.EqualFold(text(account.Type), "Trial"):
		check.Grade, check.Sentence = responsehub.CheckWarning, "The Twilio account is a trial: it calls and texts verified numbers only, and says so first."
	default:
		check.Grade, check.Sentence = responsehub.CheckOK, "Twilio takes the API key and the account is active."
	}
	return check
}

// checkNumber looks whether the number that calls is the account's, and where texts and
// calls to it go.
func (c *Client) checkNumber(ctx context.Context) []responsehub.Check {
	ctx, answer := transport.Capture(ctx)
	page, err := c.api(ctx).PageIncomingPhoneNumber((&openapi.ListIncomingPhoneNumberParams{}).SetPhoneNumber(c.cfg.From).SetPageSize(1), "", "")
	if err != nil {
		return []responsehub.Check{{Name: "twilio number", Grade: responsehub.CheckUnknown, Sentence: responsehub.Sentence(read(answer, err, "Whether twilio.from is a number of the account could not be found out"))}}
	}
	if len(page.IncomingPhoneNumbers) == 0 {
		return []responsehub.Check{{Name: "twilio number", Grade: responsehub.CheckWarning, Sentence: "twilio.from is no number of the account: a verified caller id can call, but texts and answers do not work with it."}}
	}
	n := page.IncomingPhoneNumbers[0]
	checks := []responsehub.Check{{Name: "twilio number", Grade: responsehub.CheckOK, Sentence: "The number that calls is the account's."}}
	for _, to := range []struct{ what, route, at string }{
		{"texts", "/twilio/sms", text(n.SmsUrl)}, {"calls", "/twilio/voice", text(n.VoiceUrl)},
	} {
		if to.what == "texts" && c.cfg.MessagingServiceSID != "" {
			continue // the service says where they go
		}
		at, _, _ := strings.Cut(to.at, "#")
		if at != c.public+to.route {
			checks = append(checks, responsehub.Check{Name: "twilio " + to.what, Grade: responsehub.CheckWarning, Sentence: fmt.Sprintf("Answers by %s reach nobody: at https://console.twilio.com set the number's webhook for %s to %s%s by POST.", to.what, to.what, c.public, to.route)})
		}
	}
	return checks
}

// checkAddress says what can be seen from here of whether Twilio reaches the hub.
func (c *Client) checkAddress() responsehub.Check {
	check := responsehub.Check{Name: "twilio webhooks", Grade: responsehub.CheckOK, Sentence: "Twilio asks the hub under " + c.public + "/twilio/: let it through any firewall, keep the path and the query as they are, and answer no redirect."}
	u, err := url.Parse(c.public)
	switch {
	case err != nil:
	case u.Scheme != "https":
		check.Grade, check.Sentence = responsehub.CheckWarning, "server.public_url is not https: only a simulator on this machine can ask the hub, Twilio cannot."
	case !strings.Contains(u.Hostname(), ".") || strings.HasSuffix(u.Hostname(), ".local") || strings.HasSuffix(u.Hostname(), ".internal"):
		check.Grade, check.Sentence = responsehub.CheckWarning, "server.public_url does not look like an address that Twilio could reach from outside."
	}
	return check
}
