package exchange

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
)

// object is one row of a cmdlet's output.
type object map[string]any

// refusal is why a cmdlet did not run.
type refusal struct {
	status    int
	code      string
	exception string // full type name, "" for none
	text      string
}

// notFound is the exception for a missing object: callers that remove take it as done.
func notFound(format string, args ...any) *refusal {
	return &refusal{http.StatusNotFound, "NotFound", "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException", fmt.Sprintf(format, args...)}
}

func badParameter(name string) *refusal {
	return &refusal{http.StatusBadRequest, "BadRequest", "System.Management.Automation.ParameterBindingException", "Cannot process argument transformation on parameter '" + name + "'."}
}

// failure is the error body. The message of the detail is id|exception|text, as Exchange writes it.
// https://github.com/GreyCorbel/ExoHelper (Get-ExoException)
func failure(code, text, exception string) object {
	detail := text
	if exception != "" {
		detail = fmt.Sprintf("Ex%06X|%s|%s", crc32.ChecksumIEEE([]byte(text))&0xFFFFFF, exception, text)
	}
	kind := exception[strings.LastIndex(exception, ".")+1:]
	return object{"error": object{
		"code": code, "message": "Error executing cmdlet",
		"details":    []object{{"code": "Context", "target": "", "message": detail}},
		"innererror": object{"message": "Error executing cmdlet", "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException", "stacktrace": "", "internalException": object{"message": detail, "type": kind, "stacktrace": ""}},
	}}
}
