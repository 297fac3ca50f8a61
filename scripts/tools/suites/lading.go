// Package standin is a registry of a Go test suite that is Lading underneath. scripts/tools/client-suites.sh puts this
// file into the package of the registry that the suite brings, in the place of that registry's answers.
package standin

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// The suites name repositories with one word, and every repository of Lading has an owner. Those names get the owner
// `library` on their way in and lose it on their way out, as they do where clients leave it out.
const owner = "library/"

var ownerless = regexp.MustCompile(`^/v2/([^/]+/(?:manifests|blobs|tags|referrers)(?:/|$))`)

// newLading asks for a Lading without content, at the address that the environment names, and passes every request on
// to it. It ends the test program when there is none: no test may pass against something else.
func newLading() (*url.URL, http.Handler) {
	address := askForLading()
	proxy := &httputil.ReverseProxy{
		// The host stays as the client sent it: whatever Lading says of itself leads through here again.
		Rewrite: func(request *httputil.ProxyRequest) {
			out := request.Out.URL
			out.Scheme, out.Host = address.Scheme, address.Host
			out.Path = withOwner(out.Path)
			query := out.Query()
			if from := query.Get("from"); from != "" && !strings.Contains(from, "/") {
				query.Set("from", owner+from)
				out.RawQuery = query.Encode()
			}
		},
		ModifyResponse: withoutOwner,
		FlushInterval:  -1,
	}
	return address, proxy
}

func withOwner(path string) string {
	return ownerless.ReplaceAllString(path, "/v2/"+owner+"$1")
}

func withoutOwner(answer *http.Response) error {
	for _, name := range []string{"Location", "Link"} {
		for i, value := range answer.Header.Values(name) {
			answer.Header[name][i] = strings.Replace(value, "/v2/"+owner, "/v2/", 1)
		}
	}
	path := answer.Request.URL.Path
	if !strings.HasSuffix(path, "/tags/list") && !strings.HasSuffix(path, "/_catalog") {
		return nil
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	text = bytes.ReplaceAll(text, []byte(`"`+owner), []byte(`"`))
	answer.Body = io.NopCloser(bytes.NewReader(text))
	answer.ContentLength = int64(len(text))
	answer.Header.Set("Content-Length", strconv.Itoa(len(text)))
	return nil
}

func askForLading() *url.URL {
	answer, err := http.Post(os.Getenv("LADING_FACTORY"), "text/plain", http.NoBody)
	if err != nil {
		fail("LADING_FACTORY gives no registry", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		fail(fmt.Sprintf("LADING_FACTORY answered %d %s", answer.StatusCode, text), err)
	}
	address, err := url.Parse(string(text))
	if err != nil {
		fail("LADING_FACTORY gave no address", err)
	}
	return address
}

func fail(what string, err error) {
	fmt.Fprintln(os.Stderr, what, err)
	os.Exit(3)
}
