"""From an incident to exactly one work order: who must act, by when, and what happened since.

In: incident events as CloudEvents. Out: work orders, their history, events on every feed, the page.
Never: touches pixels, closes an order by itself, or decides a case of the enforcement tier.
"""
