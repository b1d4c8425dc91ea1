package entra

import (
	"fmt"
	"strings"
)

const (
	loginAwayWords      = "Microsoft's sign-in service cannot be reached from the hub. It tries again by itself; check the network if this lasts."
	loginUntrustedWords = "The certificate of Microsoft's sign-in service is not trusted by the hub. If a proxy inspects TLS here, add its root in outbound.ca_file."
)

func badTenantWords(tenant string) string {
	return fmt.Sprintf("%q is not a Microsoft tenant id. Correct microsoft_tenant_id of this tenant.", tenant)
}

func number(code int) string {
	if code == 0 {
		return "no number"
	}
	return fmt.Sprintf("AADSTS%d", code)
}

// words is the sentence for a refused token: what it means and what to do.
func words(class Class, code int, tenant, client, resource string) string {
	service := "Microsoft Graph"
	if strings.Contains(resource, "outlook") || strings.Contains(resource, "webmail") {
		service = "Exchange Online"
	}
	number := fmt.Sprintf(" (AADSTS%d)", code)
	if code == 0 {
		number = ""
	}
	switch class {
	case ConsentMissing:
		return fmt.Sprintf("Tenant %s has not given admin consent to the hub's app %s for %s%s. Have an administrator of the tenant grant it, then try again.", tenant, client, service, number)
	case ResourceMissing:
		return fmt.Sprintf("Tenant %s does not have %s%s, so there is nothing the hub could do there.", tenant, service, number)
	case Credential:
		return fmt.Sprintf("The hub's own Microsoft credential is wrong or has expired%s. This stops remediation in ALL tenants: put a new client secret or certificate for app %s into the hub's configuration now.", number, client)
	case AppDisabled:
		return fmt.Sprintf("The hub's app %s is switched off in tenant %s%s. An administrator must enable it again under Enterprise applications; make sure that it was not the attacker who disabled it.", client, tenant, number)
	case TenantGone:
		return fmt.Sprintf("Microsoft does not know tenant %s%s. Check microsoft_tenant_id; the tenant may have been deleted.", tenant, number)
	case PolicyBlocks:
		return fmt.Sprintf("A Conditional Access policy of tenant %s keeps the hub's app out%s. Exclude the app %s from policies for workload identities.", tenant, number, client)
	case Transient:
		return fmt.Sprintf("Microsoft's sign-in service is busy%s. The hub tries again by itself.", number)
	case Unreachable:
		return loginAwayWords
	}
	return fmt.Sprintf("Microsoft refused the hub's app %s a token for tenant %s%s. Look the number up in Microsoft's list of error codes, or run responsehub doctor.", client, tenant, number)
}
