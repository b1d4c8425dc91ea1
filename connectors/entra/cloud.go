package entra

import (
	"errors"
	"net/url"
	"slices"
	"strings"
)

// Cloud names Microsoft's resources in one of its clouds. A scope is the resource plus
// "/.default".
type Cloud struct {
	Graph    string
	Exchange string
}

// The clouds. DoD shares its login with GCC High, so that only the address of Graph
// tells them apart. See https://learn.microsoft.com/en-us/graph/deployments
var (
	public = Cloud{Graph: "https://graph.microsoft.com", Exchange: "https://outlook.office365.com"}
	gov    = Cloud{Graph: "https://graph.microsoft.us", Exchange: "https://outlook.office365.us"}
	dod    = Cloud{Graph: "https://dod-graph.microsoft.us", Exchange: "https://webmail.apps.mil"}
	china  = Cloud{Graph: "https://microsoftgraph.chinacloudapi.cn", Exchange: "https://partner.outlook.cn"}
)

// Global reports whether it is the cloud of most customers, which alone has everything.
func (c Cloud) Global() bool { return c == public }

var microsoftLogins = []string{
	"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net",
	"login.microsoftonline.us", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn",
}

func cloudOf(login string, graph string) Cloud {
	switch {
	case strings.HasSuffix(login, ".microsoftonline.us"):
		if g, err := url.Parse(graph); err == nil && g.Hostname() == "dod-graph.microsoft.us" {
			return dod
		}
		return gov
	case strings.HasSuffix(login, ".cn"):
		return china
	}
	return public
}

// login checks the authority and cuts it down to its host: the identity library takes
// https only and drops any path by itself, which would look as if the path had worked.
func login(authority string) (*url.URL, error) {
	u, err := url.Parse(authority)
	if err != nil || u.Host == "" {
		return nil, errors.New("microsoft.authority must be an address such as https://login.microsoftonline.com")
	}
	if u.Scheme != "https" {
		return nil, errors.New("microsoft.authority must begin with https://, also for a simulated login")
	}
	return &url.URL{Scheme: "https", Host: u.Host, Path: "/"}, nil
}

func isMicrosofts(host string) bool { return slices.Contains(microsoftLogins, strings.ToLower(host)) }
