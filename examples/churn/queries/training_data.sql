-- Customers whose outcome is known. ORDER BY makes equal tables equal files, so a tick that finds
-- nothing new stops here.
SELECT
    m.customer_id, m.female, m.senior_citizen, m.partner, m.dependents, m.tenure,
    s.phone_service, s.multiple_lines, s.internet_service, s.online_security, s.online_backup,
    s.device_protection, s.tech_support, s.streaming_tv, s.streaming_movies, s.contract,
    s.paperless_billing, s.payment_method,
    c.monthly_charges, c.total_charges,
    l.churn
FROM members AS m
JOIN subscriptions AS s USING (customer_id)
JOIN charges AS c USING (customer_id)
JOIN labels AS l USING (customer_id)
ORDER BY m.customer_id
