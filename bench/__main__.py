"""Print every measurement: PDFs, then pages served by two processes on PostgreSQL."""

from bench import pages, pdf
from bench.report import describe_machine

if __name__ == "__main__":
    print(describe_machine())
    pdf.main()
    pages.main()
