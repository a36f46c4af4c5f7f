-- Customers who may still leave: those without a label.
SELECT
    m.customer_id, m.female, m.senior_citizen, m.partner, m.dependents, m.tenure,
    s.phone_service, s.multiple_lines, s.internet_service, s.online_security, s.online_backup,
    s.device_protection, s.tech_support, s.streaming_tv, s.streaming_movies, s.contract,
    s.paperless_billing, s.payment_method,
    c.monthly_charges, c.total_charges
FROM members AS m
JOIN subscriptions AS s USING (customer_id)
JOIN charges AS c USING (customer_id)
WHERE m.customer_id NOT IN (SELECT customer_id FROM labels)
ORDER BY m.customer_id
