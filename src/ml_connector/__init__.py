"""ml-connector: Acumatica Cloud ERP and Stripe telling the same story about money."""
