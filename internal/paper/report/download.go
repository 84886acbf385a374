package report

import (
	"encoding/base64"
	"html/template"
	"path"

	"weir/internal/paper/figures"
)

// download is a file of a figure inside the page, so that it is still at hand
// when the page has been sent somewhere else.
type download struct {
	Name, Kind string
	Address    template.URL
}

// downloads returns the figure's files as data addresses. A figure whose data
// cannot be written has none: the figure itself is on the page all the same.
func downloads(f figures.Figure) []download {
	files, err := f.Files()
	if err != nil {
		return nil
	}
	types := map[string]string{".csv": "text/csv", ".pdf": "application/pdf", ".svg": "image/svg+xml"}
	var all []download
	for _, file := range files {
		kind := path.Ext(file.Name)
		// Base64 and a type from above: nothing in it can leave the attribute.
		address := template.URL("data:" + types[kind] + ";base64," + base64.StdEncoding.EncodeToString(file.Data))
		all = append(all, download{file.Name, kind[1:], address})
	}
	return all
}
