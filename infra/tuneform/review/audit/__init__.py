"""What an audit found, for people and for programs: text, JSON, SARIF, JUnit, one HTML page.

data.py   what was found, as frozen data     words.py   how it is said, whatever the form
"""
