module sql_subject

go 1.19
