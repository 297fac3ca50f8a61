package olareg

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// fallback is the tag of a list of referrers, for registries that do not make such lists.
var fallback = regexp.MustCompile("^sha256-[0-9a-f]{64}$")

// ladings holds a function for each server, which starts its Lading once.
var ladings sync.Map

// ServeHTTP answers with a Lading of this server's own, which starts at the first request with the content of the
// folder that the server was configured with. What the configuration forbids is forbidden here, so that no test takes
// a registry that may be written to for one that may not.
func (s *Server) ServeHTTP(resp http.ResponseWriter, req *http.Request) {
	api := s.conf.API
	isRead := req.Method == http.MethodGet || req.Method == http.MethodHead
	isDelete := req.Method == http.MethodDelete
	switch {
	case !isRead && (*s.conf.Storage.ReadOnly || !*api.PushEnabled), isDelete && !*api.DeleteEnabled:
		resp.WriteHeader(http.StatusForbidden)
	case strings.Contains(req.URL.Path, "/referrers/") && !*api.Referrer.Enabled:
		resp.WriteHeader(http.StatusNotFound)
	default:
		start, _ := ladings.LoadOrStore(s, sync.OnceValue(s.startLading))
		start.(func() http.Handler)().ServeHTTP(resp, req)
	}
}

func (s *Server) startLading() http.Handler {
	address, handler := newLading()
	if s.conf.Storage.RootDir != "" {
		pushFolder(address, s.conf.Storage.RootDir, *s.conf.API.Referrer.Enabled)
	}
	return handler
}

// pushFolder pushes each OCI layout below the folder to the repository of its path.
func pushFolder(address *url.URL, root string, listsReferrers bool) {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "oci-layout" {
			return err
		}
		repository, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		target := address.JoinPath("v2", repository)
		if !strings.Contains(repository, "/") {
			target = address.JoinPath("v2", owner, repository)
		}
		return layout{filepath.Dir(path), target, listsReferrers}.push()
	})
	if err != nil && !os.IsNotExist(err) {
		fail("the content of "+root+" cannot be pushed", err)
	}
}

type layout struct {
	folder         string
	target         *url.URL
	listsReferrers bool
}

type node struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Annotations map[string]string `json:"annotations"`
	Manifests   []node            `json:"manifests"`
	Config      *node             `json:"config"`
	Layers      []node            `json:"layers"`
}

func (l layout) push() error {
	text, err := os.ReadFile(filepath.Join(l.folder, "index.json"))
	if err != nil {
		return err
	}
	var index node
	if err := json.Unmarshal(text, &index); err != nil {
		return err
	}
	for _, entry := range index.Manifests {
		tag := entry.Annotations["org.opencontainers.image.ref.name"]
		if l.listsReferrers && fallback.MatchString(tag) {
			err = l.pushChildren(entry)
		} else {
			err = l.pushManifest(entry, tag)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pushChildren pushes the referrers that a fallback tag lists, not the list: the registry makes that itself.
func (l layout) pushChildren(entry node) error {
	text, err := l.read(entry.Digest)
	if err != nil {
		return err
	}
	var index node
	if err := json.Unmarshal(text, &index); err != nil {
		return err
	}
	for _, child := range index.Manifests {
		if err := l.pushManifest(child, ""); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// pushManifest leaves out what the layout does not have: some indexes name platforms that nobody needs.
func (l layout) pushManifest(entry node, tag string) error {
	text, err := l.read(entry.Digest)
	if err != nil {
		return err
	}
	var manifest node
	if err := json.Unmarshal(text, &manifest); err != nil {
		return err
	}
	blobs := manifest.Layers
	if manifest.Config != nil {
		blobs = append(blobs, *manifest.Config)
	}
	for _, child := range manifest.Manifests {
		if !strings.Contains(child.MediaType, "manifest") && !strings.Contains(child.MediaType, "index") {
			blobs = append(blobs, child)
		} else if err := l.pushManifest(child, ""); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	for _, blob := range blobs {
		if err := l.pushBlob(blob.Digest); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	reference := tag
	if reference == "" {
		reference = entry.Digest
	}
	return send(http.MethodPut, l.target.JoinPath("manifests", reference), entry.MediaType, text)
}

func (l layout) pushBlob(digest string) error {
	text, err := l.read(digest)
	if err != nil {
		return err
	}
	uploads := l.target.JoinPath("blobs", "uploads/")
	uploads.RawQuery = url.Values{"digest": {digest}}.Encode()
	return send(http.MethodPost, uploads, "application/octet-stream", text)
}

func (l layout) read(digest string) ([]byte, error) {
	return os.ReadFile(filepath.Join(l.folder, "blobs", strings.Replace(digest, ":", "/", 1)))
}

func send(method string, target *url.URL, mediaType string, body []byte) error {
	request, err := http.NewRequest(method, target.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", mediaType)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		var said bytes.Buffer
		_, _ = said.ReadFrom(answer.Body)
		return fmt.Errorf("%s %s: %s %s", method, target, answer.Status, said.String())
	}
	return nil
}
