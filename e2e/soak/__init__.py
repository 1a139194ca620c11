"""The soak: kill-and-reopen rounds on phone and server, with a ledger of its own that says at the end what was lost.

`python -m e2e.soak --rounds 200 --seed 1`. The ledger is written by the driver, outside the app, the moment the screen
says that something is saved; photos in it are named by the hash that the driver itself takes of the stored bytes.
"""
