"""Print every measurement: PDFs, then pages served by two processes on PostgreSQL."""

from bench import pages, pdf

if __name__ == "__main__":
    pdf.main()
    pages.main()
